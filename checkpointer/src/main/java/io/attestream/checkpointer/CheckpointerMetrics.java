// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.access.PolicyMetric;
import io.attestream.access.Start;
import io.attestream.objects.scrub.Scrubber;
import io.attestream.operations.clock.ClockMetrics;
import io.attestream.operations.doubt.Doubt;
import io.attestream.operations.kafka.KafkaMeters;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** What can be seen from outside: how far each shard is, when an epoch was published last, and how long each step took. */
final class CheckpointerMetrics implements StepListener {
    /** Steps before which the thread was waiting, so that the time to them says nothing. */
    private static final EnumSet<PublishStep> BEGINNINGS =
            EnumSet.of(PublishStep.ASSEMBLED, PublishStep.SHARD_NOTES_SENT);

    /** Who hears nothing from the brokers for longer does not know that there is nothing. */
    private static final Duration SILENT_MAX = Duration.ofSeconds(10);

    private static final Duration[] PUBLICATION_BOUNDS = LongStream.of(1, 2, 5, 10, 20, 30, 60, 300, 900)
            .mapToObj(Duration::ofSeconds)
            .toArray(Duration[]::new);

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final AtomicLong epoch = new AtomicLong(-1);
    private final AtomicLong lastPublishMillis = new AtomicLong();
    private final AtomicLongArray publishedSize;
    private final Map<Stage, AtomicLongArray> offsets = new EnumMap<>(Stage.class);
    private final Map<PublishStep, Timer> steps = new EnumMap<>(PublishStep.class);
    private final Timer publication;
    private List<ShardHead> underWay = List.of();
    private long lastStepNanos = System.nanoTime();

    /** What is done with an epoch, in order. */
    private enum Stage {
        ARCHIVED,
        SIGNED,
        PUBLISHED;

        static final Map<PublishStep, Stage> BY_STEP = Map.of(
                PublishStep.ARCHIVE_READ_BACK, ARCHIVED, PublishStep.SIGNED, SIGNED, PublishStep.PUBLISHED, PUBLISHED);
    }

    CheckpointerMetrics(Backlog backlog, Clock clock) {
        registry.config().meterFilter(KafkaMeters.filter());
        ClockMetrics.register(clock, registry);
        publication = Timer.builder("attestream_checkpointer_publication")
                .description("From the timestamp of an event's record to the publication of its leaf, of every leaf")
                .serviceLevelObjectives(PUBLICATION_BOUNDS)
                .register(registry);
        Gauge.builder(
                        "attestream_checkpointer_oldest_unpublished_age_seconds",
                        backlog,
                        b -> oldestUnpublishedAgeSeconds(b, clock))
                .description(
                        "Age of the oldest event that was read and is in no published epoch; 0 if there is none, and NaN if no"
                                + " broker has answered for ten seconds, so that nobody knows")
                .register(registry);
        publishedSize = new AtomicLongArray(backlog.shards());
        for (Stage stage : Stage.values()) {
            offsets.put(stage, new AtomicLongArray(backlog.shards()));
        }
        Gauge.builder("attestream_checkpointer_epoch", epoch, AtomicLong::get)
                .description("Number of the epoch published last; -1 before the first")
                .register(registry);
        Gauge.builder("attestream_checkpointer_last_publish_time_seconds", lastPublishMillis, t -> t.get() / 1000.0)
                .description("Unix time of the last publication by this process; 0 before the first")
                .register(registry);
        for (int shard = 0; shard < backlog.shards(); shard++) {
            registerShard(backlog, shard);
        }
        for (PublishStep step : EnumSet.complementOf(BEGINNINGS)) {
            steps.put(
                    step,
                    Timer.builder("attestream_checkpointer_step")
                            .description("Time from the step before to the end of this one")
                            .tag("step", step.name().toLowerCase(Locale.ROOT))
                            .publishPercentiles(0.5, 0.99)
                            .register(registry));
        }
    }

    /** Of a process that has no ledger to tell of yet: its clock may be wrong all the same, and is what its turn goes by. */
    static String scrapeWaiting(Clock clock, Start.Policy policy, Doubt doubt) {
        PrometheusMeterRegistry waiting = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ClockMetrics.register(clock, waiting);
        PolicyMetric.register(policy, waiting);
        doubt.bindTo(waiting);
        return waiting.scrape();
    }

    void process(Start.Policy policy, Doubt doubt) {
        PolicyMetric.register(policy, registry);
        doubt.bindTo(registry);
    }

    void scrubber(Scrubber scrubber) {
        Gauge.builder("attestream_checkpointer_scrub_age_seconds", scrubber, Scrubber::ageSeconds)
                .tag("part", scrubber.label())
                .description(
                        "Since the begin of the last scrub that saw all of this; before it, since the process began")
                .register(registry);
        Gauge.builder("attestream_checkpointer_scrub_found", scrubber, Scrubber::found)
                .tag("part", scrubber.label())
                .description("What was not as it must be in the last scrub that saw all of this; NaN before the first")
                .register(registry);
    }

    void packer(Packer packer, Unpacked unpacked) {
        Gauge.builder("attestream_checkpointer_unpacked_leaves", unpacked, Unpacked::leaves)
                .description("Published leaves that are in segments and in no logged pack")
                .register(registry);
        Gauge.builder(
                        "attestream_checkpointer_packing_fails",
                        packer,
                        p -> p.problem().isEmpty() ? 0 : 1)
                .description(
                        "1 if the last attempt to make a pack, or to remove what is packed, failed; the log says why")
                .register(registry);
    }

    void snapshots(Snapshots snapshots, Clock clock) {
        Gauge.builder("attestream_checkpointer_snapshot_epoch", snapshots, Snapshots::newestEpoch)
                .description("Epoch of the newest snapshot; -1 before the first")
                .register(registry);
        Gauge.builder("attestream_checkpointer_snapshot_age_seconds", snapshots, s -> ageSeconds(s, clock))
                .description("Since the newest snapshot was taken; NaN before the first")
                .register(registry);
        Gauge.builder(
                        "attestream_checkpointer_snapshot_fails",
                        snapshots,
                        s -> s.problem().isEmpty() ? 0 : 1)
                .description("1 if the last snapshot was not made, or old ones not removed; the log says why")
                .register(registry);
    }

    private static double ageSeconds(Snapshots snapshots, Clock clock) {
        long takenMillis = snapshots.newestMillis();
        return takenMillis == 0 ? Double.NaN : (clock.millis() - takenMillis) / 1000.0;
    }

    private void registerShard(Backlog backlog, int shard) {
        String tag = Integer.toString(shard);
        Gauge.builder("attestream_checkpointer_shard_published_size", publishedSize, sizes -> sizes.get(shard))
                .description("Leaves of the shard in the epoch published last")
                .tag("shard", tag)
                .register(registry);
        Gauge.builder(
                        "attestream_checkpointer_shard_verified_size",
                        backlog,
                        b -> b.look(shard, r -> r.newestVerified().head().size().value()))
                .description("Leaves of the shard below its newest verified head")
                .tag("shard", tag)
                .register(registry);
        Gauge.builder(
                        "attestream_checkpointer_shard_decided_offset",
                        backlog,
                        b -> LedgerOffset.kafka(b.look(shard, ShardReplica::decidedTo)))
                .description("Offset of topic events below which this process has decided every record")
                .tag("shard", tag)
                .register(registry);
        stageGauge(
                shard,
                "sealed",
                () -> backlog.look(
                        shard, r -> LedgerOffset.kafka(r.newestVerified().head().nextOffset())));
        offsets.forEach(
                (stage, offset) -> stageGauge(shard, stage.name().toLowerCase(Locale.ROOT), () -> offset.get(shard)));
        Gauge.builder(
                        "attestream_checkpointer_shard_backlog_bytes",
                        backlog,
                        b -> b.look(shard, ShardReplica::unpublishedBytes))
                .description("Bytes of leaves read and not yet in an epoch")
                .tag("shard", tag)
                .register(registry);
    }

    private void stageGauge(int shard, String stage, Supplier<Number> offset) {
        Gauge.builder("attestream_checkpointer_shard_stage_offset", offset)
                .description(
                        "Offset of topic events below which everything is sealed (and was recomputed), archived, signed,"
                                + " published")
                .tag("shard", Integer.toString(shard))
                .tag("stage", stage)
                .register(registry);
    }

    /** Takes note of the epoch the next steps are those of. */
    void begun(List<ShardHead> heads) {
        underWay = heads;
    }

    @Override
    public void reached(PublishStep step, long number) {
        Stage stage = Stage.BY_STEP.get(step);
        if (stage != null) {
            reached(stage, underWay);
        }
        long now = System.nanoTime();
        Timer timer = steps.get(step);
        if (timer != null) {
            timer.record(now - lastStepNanos, TimeUnit.NANOSECONDS);
        }
        lastStepNanos = now;
    }

    private void reached(Stage stage, List<ShardHead> heads) {
        AtomicLongArray offset = Objects.requireNonNull(offsets.get(stage));
        heads.forEach(head -> offset.set(head.shard(), LedgerOffset.kafka(head.nextOffset())));
    }

    private static double oldestUnpublishedAgeSeconds(Backlog backlog, Clock clock) {
        OptionalLong oldest = IntStream.range(0, backlog.shards())
                .mapToObj(shard -> backlog.look(shard, ShardReplica::oldestUnpublishedMillis))
                .flatMapToLong(OptionalLong::stream)
                .min();
        if (oldest.isPresent()) {
            return Math.max(0, clock.millis() - oldest.getAsLong()) / 1000.0;
        }
        return backlog.sinceAnswered().compareTo(SILENT_MAX) > 0 ? Double.NaN : 0;
    }

    /** Takes note of what is public now. */
    void published(CheckpointHistory history, List<Added> added, long nowMillis) {
        added.forEach(shard -> shard.leaves()
                .forEach(leaf ->
                        publication.record(Math.max(0, nowMillis - leaf.timestampMillis()), TimeUnit.MILLISECONDS)));
        epoch.set(history.nextEpoch() - 1);
        lastPublishMillis.set(nowMillis);
        replayed(history);
    }

    /** Takes note of what was public before this process started. */
    void replayed(CheckpointHistory history) {
        epoch.set(history.nextEpoch() - 1);
        history.publishedHeads()
                .forEach(head -> publishedSize.set(head.shard(), head.size().value()));
        for (Stage stage : Stage.values()) {
            reached(stage, history.publishedHeads());
        }
    }

    long epoch() {
        return epoch.get();
    }

    /** Exports what Kafka's clients tell. */
    void client(MeterBinder client) {
        client.bindTo(registry);
    }

    String scrape() {
        return registry.scrape();
    }
}
