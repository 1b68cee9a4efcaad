// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.config.Secrets;
import io.attestream.gateway.ledger.LedgerSource;
import io.attestream.gateway.read.Archive;
import io.attestream.gateway.read.ProofsClient;
import io.attestream.operations.evidence.Evidence;
import io.attestream.operations.evidence.EvidenceMetrics;
import io.attestream.operations.evidence.EvidenceReader;
import io.attestream.operations.slo.Runbooks;
import io.attestream.operations.slo.Slo;
import io.attestream.schemas.Topics;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks now and then at all that the page {@code /ops} shows, so that a browser that asks waits for nobody. */
@ApplicationScoped
public class OpsLook {
    private static final Logger LOG = LoggerFactory.getLogger(OpsLook.class);

    private final GatewayConfig config;
    private final Secrets secrets;
    private final LedgerSource ledgers;
    private final ConsumerLag lag;
    private final MeterRegistry registry;
    private final Clock clock = Clock.systemUTC();
    private final List<Slo> objectives = Runbooks.objectives();
    private final CheckpointTrail trail;
    private final Optional<PrometheusClient> prometheus;
    private final Optional<EvidenceReader> evidence;
    private final EvidenceMetrics evidenceMetrics;
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "ops-look");
        thread.setDaemon(true);
        return thread;
    });
    private volatile @Nullable OpsReport last;
    private volatile Evidence lastEvidence = new Evidence(List.of(), List.of());

    OpsLook(
            GatewayConfig config,
            Secrets secrets,
            LedgerSource ledgers,
            ConsumerLag lag,
            ProofsClient proofs,
            Archive archive,
            MeterRegistry registry) {
        this.config = config;
        this.secrets = secrets;
        this.ledgers = ledgers;
        this.lag = lag;
        this.registry = registry;
        this.trail = new CheckpointTrail(
                proofs,
                now -> (now ? archive.newestKeys(secrets.ledgerKey()) : archive.keys(secrets.ledgerKey())).history(),
                clock);
        GatewayConfig.Ops ops = config.ops();
        this.prometheus = ops.prometheusUrl().map(url -> new PrometheusClient(url, ops.prometheusTimeout()));
        this.evidence = ops.evidenceDir().map(EvidenceReader::new);
        this.evidenceMetrics = new EvidenceMetrics(registry, clock);
    }

    void onStart(@Observes StartupEvent event) {
        long intervalMillis = config.ops().interval().toMillis();
        var unused = looking.scheduleWithFixedDelay(this::look, 0, intervalMillis, TimeUnit.MILLISECONDS);
    }

    void onStop(@Observes ShutdownEvent event) {
        looking.shutdownNow();
    }

    /** The newest report, however old; empty before the first. */
    Optional<OpsReport> newest() {
        return Optional.ofNullable(last);
    }

    /** What the newest report was made of. */
    Evidence evidence() {
        return lastEvidence;
    }

    private void look() {
        try {
            last = report();
        } catch (RuntimeException e) {
            // The report that was grows stale, and says so.
            LOG.error("what /ops shows could not be looked at", e);
        }
    }

    private OpsReport report() {
        PrometheusLook metrics = prometheus
                .map(client -> client.look(objectives))
                .orElseGet(() -> PrometheusLook.none("attestream.ops.prometheus-url is not set"));
        Optional<Evidence> found = evidence.map(EvidenceReader::read);
        found.ifPresent(read -> {
            lastEvidence = read;
            evidenceMetrics.set(read.runs());
        });
        Optional<ConsumerLag.Look> groups = lag.newest();
        CheckpointTrail.Trail checkpoints = trail.look();
        Topics topics = new Topics(config.topics().prefix());
        StagesPart.Limits limits =
                new StagesPart.Limits(sliceMax("publication-backlog"), sliceMax("checkpoint-freshness"));
        List<Part> parts = List.of(
                SloPart.of(objectives, metrics),
                AlertsPart.of(metrics),
                StagesPart.of(topics, limits, metrics, groups, checkpoints),
                LagPart.of(groups, sliceMax("consumer-lag"), topics.prefix()),
                checkpoints.part(),
                EvidencePart.of(found, metrics, clock),
                GatewayPart.of(ledgers.current().isPresent(), ledgers.state(), registry));
        return new OpsReport(clock.instant(), secrets.ledgerKey().keyName(), parts, System.nanoTime(), staleAfter());
    }

    /** Three looks, each as long as Prometheus and proofs instances may take. */
    private Duration staleAfter() {
        return config.ops().interval().multipliedBy(3).plusSeconds(15);
    }

    /** Up to which the slices of this objective are good. */
    private double sliceMax(String objective) {
        return objectives.stream()
                .filter(slo -> slo.name().equals(objective))
                .map(Slo::indicator)
                .filter(Slo.Indicator.Slices.class::isInstance)
                .mapToDouble(indicator -> ((Slo.Indicator.Slices) indicator).max())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("runbooks/slo has no objective of slices " + objective));
    }
}
