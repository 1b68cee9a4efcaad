// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.GameDayReport.Moment;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What users had of the ledger over the time of a game day, as SVG: one lane for each indicator, its bound, and the moments. */
final class GameDayPlot {
    private static final int WIDTH = 960;
    private static final int LEFT = 170;
    private static final int RIGHT = 20;
    private static final int LANE_HEIGHT = 90;
    private static final int LANE_GAP = 26;
    private static final int TOP = 40;
    private static final int LEGEND_LINE_HEIGHT = 16;

    private final GameDayReport report;
    private final Instant begin;
    private final double lengthSeconds;
    private final StringBuilder svg = new StringBuilder();

    private record Lane(String name, double bound, ToDoubleFunction<SliProbe.Sample> value) {}

    private static final List<Lane> LANES = List.of(
            new Lane(
                    "since an acknowledgement", SliProbe.INGEST_SECONDS_MAX, SliProbe.Sample::sinceAcknowledgedSeconds),
            new Lane("oldest unpublished", SliProbe.PUBLICATION_SECONDS_MAX, SliProbe.Sample::oldestUnpublishedSeconds),
            new Lane("checkpoint age", SliProbe.CHECKPOINT_AGE_SECONDS_MAX, SliProbe.Sample::checkpointAgeSeconds),
            new Lane("since a proof", SliProbe.PROOF_SECONDS_MAX, SliProbe.Sample::sinceProofSeconds));

    private GameDayPlot(GameDayReport report) {
        this.report = report;
        List<SliProbe.Sample> samples = report.samples();
        this.begin = samples.get(0).at();
        this.lengthSeconds =
                Math.max(1, secondsOf(samples.get(samples.size() - 1).at()));
    }

    /** @return empty if nothing was seen */
    static String of(GameDayReport report) {
        return report.samples().isEmpty() ? "" : new GameDayPlot(report).draw();
    }

    private double secondsOf(Instant at) {
        return Duration.between(begin, at).toMillis() / 1_000.0;
    }

    private double x(Instant at) {
        return LEFT + (WIDTH - LEFT - RIGHT) * Math.min(1, Math.max(0, secondsOf(at) / lengthSeconds));
    }

    private String draw() {
        int bottom = TOP + LANES.size() * (LANE_HEIGHT + LANE_GAP);
        int height = bottom + LEGEND_LINE_HEIGHT * (report.moments().size() + 2);
        line(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"sans-serif\""
                        + " font-size=\"12\"><title>Game day %s</title><rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>",
                WIDTH, height, report.scenario().word());
        text(LEFT, 20, "start", report.scenario().word() + ", " + begin);
        for (int lane = 0; lane < LANES.size(); lane++) {
            lane(LANES.get(lane), TOP + lane * (LANE_HEIGHT + LANE_GAP));
        }
        moments(bottom);
        return svg.append("</svg>\n").toString();
    }

    private void lane(Lane lane, int top) {
        double max = report.samples().stream()
                .mapToDouble(lane.value())
                .filter(value -> !Double.isNaN(value))
                .max()
                .orElse(0);
        double scale = LANE_HEIGHT / Math.max(max, 1.2 * lane.bound());
        double bound = top + LANE_HEIGHT - lane.bound() * scale;
        text(LEFT - 10, top + 14, "end", lane.name());
        text(LEFT - 10, top + 30, "end", String.format(Locale.ROOT, "max %.1f s", max));
        text(LEFT - 10, bound + 4, "end", String.format(Locale.ROOT, "at most %.0f s", lane.bound()));
        line(
                "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#b00\" stroke-dasharray=\"4 4\"/>",
                LEFT, WIDTH - RIGHT, bound, bound);
        line(
                "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#999\"/>",
                LEFT, WIDTH - RIGHT, top + LANE_HEIGHT, top + LANE_HEIGHT);
        StringBuilder path = new StringBuilder();
        boolean pen = false;
        for (SliProbe.Sample sample : report.samples()) {
            double value = lane.value().applyAsDouble(sample);
            if (Double.isNaN(value)) {
                pen = false; // nobody said
                continue;
            }
            path.append(String.format(
                    Locale.ROOT, "%s%.1f %.1f", pen ? "L" : "M", x(sample.at()), top + LANE_HEIGHT - value * scale));
            pen = true;
        }
        line("<path d=\"%s\" fill=\"none\" stroke=\"#06c\" stroke-width=\"1.5\"/>", path);
    }

    /** Numbered lines through all lanes, told below: their words would cover each other. */
    private void moments(int bottom) {
        List<Map.Entry<Moment, Instant>> sorted = report.moments().entrySet().stream()
                .sorted(Map.Entry.<Moment, Instant>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .toList();
        Instant injected = report.moments().getOrDefault(Moment.INJECTED, begin);
        int number = 0;
        for (Map.Entry<Moment, Instant> moment : sorted) {
            number++;
            double x = x(moment.getValue());
            line(
                    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#555\" stroke-width=\"0.7\"/>",
                    x, x, TOP - 6, bottom - LANE_GAP);
            text(x, TOP - 8 - (number % 2) * 10, "middle", Integer.toString(number));
            text(
                    LEFT,
                    bottom + LEGEND_LINE_HEIGHT * number,
                    "start",
                    String.format(
                            Locale.ROOT,
                            "%d  %+.1f s  %s",
                            number,
                            Duration.between(injected, moment.getValue()).toMillis() / 1_000.0,
                            moment.getKey().what()));
        }
    }

    private void text(double x, double y, String anchor, String words) {
        line("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"#222\">%s</text>", x, y, anchor, words);
    }

    private void line(String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
