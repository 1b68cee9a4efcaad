// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Draws what {@link Growth} measured: each quantity in a panel of its own, from zero, against the events in the log. */
final class GrowthPlot {
    private static final int WIDTH = 760;
    private static final int PANEL_HEIGHT = 150;
    private static final int LEFT = 90;
    private static final int TOP = 30;

    private GrowthPlot() {}

    private record Panel(String title, ToDoubleFunction<Growth.Row> value) {}

    static String svg(List<Growth.Row> rows) {
        List<Panel> panels = List.of(
                new Panel("state directory of the sequencer, MB", row -> row.sequencerStateBytes() / 1e6),
                new Panel("state directory of proofs, MB", row -> row.proofsStateBytes() / 1e6),
                new Panel("changelog topics, MB", row -> row.changelogBytes() / 1e6),
                new Panel("topic sealed, MB", row -> row.sealedTopicBytes() / 1e6),
                new Panel("restart after SIGKILL, s", row -> row.restartMillis() / 1e3),
                new Panel("topic events, MB (all of it is kept)", row -> row.eventsTopicBytes() / 1e6));
        StringBuilder svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                WIDTH,
                panels.size() * PANEL_HEIGHT + TOP));
        for (int i = 0; i < panels.size(); i++) {
            draw(svg, panels.get(i), rows, TOP + i * PANEL_HEIGHT);
        }
        return svg.append("</svg>\n").toString();
    }

    private static void draw(StringBuilder svg, Panel panel, List<Growth.Row> rows, int top) {
        int height = PANEL_HEIGHT - 50;
        double most =
                Math.max(1e-9, rows.stream().mapToDouble(panel.value()).max().orElse(1));
        double last =
                Math.max(1, rows.stream().mapToLong(Growth.Row::events).max().orElse(1));
        StringBuilder line = new StringBuilder();
        for (Growth.Row row : rows) {
            double x = LEFT + (WIDTH - LEFT - 30) * row.events() / last;
            double y = top + height - height * panel.value().applyAsDouble(row) / most;
            line.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
            svg.append(String.format(Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#1f5fa8\"/>", x, y));
        }
        svg.append(String.format(
                Locale.ROOT,
                "%n<polyline points=\"%s\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.5\"/>%n"
                        + "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.1f</text>"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>"
                        + "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#999\"/>"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%,.0f events</text>%n",
                line.toString().strip(),
                LEFT,
                top - 8,
                panel.title(),
                LEFT - 8,
                top + 6,
                most,
                LEFT - 8,
                top + height + 4,
                LEFT,
                top + height,
                WIDTH - 30,
                top + height,
                WIDTH - 30,
                top + height + 16,
                last));
    }
}
