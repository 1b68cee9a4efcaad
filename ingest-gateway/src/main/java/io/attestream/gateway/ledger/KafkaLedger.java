// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ledger;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.config.Secrets;
import io.attestream.gateway.ingest.ErasureBooks;
import io.attestream.gateway.ingest.EventIntake;
import io.attestream.gateway.ingest.KafkaEventLog;
import io.attestream.gateway.keys.PayloadKeys;
import io.attestream.gateway.operations.LatencyBounds;
import io.attestream.objects.keys.Eraser;
import io.attestream.objects.keys.SubjectKeyStore;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.envelope.SubjectKeys;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.ledger.EventsTopic;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.PublishedEnds;
import io.attestream.schemas.topics.TopicContract;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the ledger in the background: a gateway may start before brokers and {@code attestream init} are done, and is then
 * not ready. What is there but is not the ledger expected is refused for good: trying again could only hide it.
 */
@ApplicationScoped
public class KafkaLedger implements LedgerSource {
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration FINISH_RETRY = Duration.ofMinutes(1);
    private static final Logger LOG = LoggerFactory.getLogger(KafkaLedger.class);

    private final GatewayConfig config;
    private final Secrets secrets;
    private final PayloadKeys keys;
    private final MeterRegistry metrics;
    private final Timer acknowledgements;
    private final Counter wentBack;
    private final ScheduledExecutorService opener = onThread("ledger-opener");
    /** Of its own: there may be many, and each asks the store of the keys. */
    private final ScheduledExecutorService finisher = onThread("erasure-finisher");

    private volatile @Nullable OpenLedger open;
    private volatile @Nullable KafkaClientMetrics producerMetrics;
    private volatile boolean fenced;
    private volatile String state = "the genesis records are not yet read";

    KafkaLedger(GatewayConfig config, Secrets secrets, PayloadKeys keys, MeterRegistry metrics) {
        this.keys = keys;
        this.acknowledgements = Timer.builder("attestream.ingest.acknowledgement")
                .description("Until the brokers acknowledged an event, of those they did (acks=all)")
                .serviceLevelObjectives(LatencyBounds.SECONDS)
                .register(metrics);
        this.wentBack = Counter.builder("attestream.ledger.went.back")
                .description(
                        "Looks at topic events that found it without records it had, one a second from the first on")
                .register(metrics);
        this.metrics = metrics;
        this.config = config;
        this.secrets = secrets;
    }

    private static ScheduledExecutorService onThread(String name) {
        return Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public Optional<OpenLedger> current() {
        return Optional.ofNullable(open);
    }

    @Override
    public String state() {
        return state;
    }

    @Override
    public boolean isFenced() {
        return fenced;
    }

    void onStart(@Observes @Priority(100) StartupEvent event) {
        opener.execute(this::tryToOpen);
    }

    /** After the HTTP server has let its requests end. */
    void onStop(@Observes ShutdownEvent event) {
        opener.shutdownNow();
        finisher.shutdownNow();
        KafkaClientMetrics bound = producerMetrics;
        if (bound != null) {
            bound.close();
        }
        OpenLedger ledger = open;
        if (ledger != null) {
            ledger.log().close();
        }
    }

    private void tryToOpen() {
        Topics topics = new Topics(config.topics().prefix());
        Map<String, Object> connection = secrets.kafkaConnection();
        try {
            GenesisReader.Result result = GenesisReader.read(connection, topics, secrets.ledgerKey(), READ_TIMEOUT);
            if (result instanceof GenesisReader.Result.Ready ready) {
                checkTopicsAndOpen(connection, topics, ready.ledger());
            } else if (result instanceof GenesisReader.Result.Refused refused) {
                refuse(refused.reason());
            } else {
                again(((GenesisReader.Result.NotReady) result).reason());
            }
        } catch (InvalidFormat e) {
            refuse(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            again("the brokers cannot be asked: " + KafkaConnection.reason(e));
        }
    }

    private void checkTopicsAndOpen(Map<String, Object> connection, Topics topics, LedgerDefinition ledger)
            throws InvalidFormat {
        Rules rules = ledger.genesis().get(0).rules();
        List<TopicContract.Violation> violations;
        try (Admin admin = Admin.create(connection)) {
            violations = new TopicContract(topics, ledger.shards(), rules.maxPayloadBytes(), config.dev()).check(admin);
        }
        if (!violations.isEmpty()) {
            refuse("topics are not as the ledger needs them: " + violations);
            return;
        }
        Optional<SubjectKeys> subjectKeys;
        try {
            subjectKeys = keys.store().map(SubjectKeys.class::cast);
        } catch (SubjectKeyStore.WrongKeyException e) {
            refuse("attestream.payload-keys.key-file: " + e.getMessage());
            return;
        } catch (IOException e) {
            again("the payload keys cannot be had: " + e.getMessage());
            return;
        }
        long[] publishedEnds = PublishedEnds.read(connection, topics, ledger, READ_TIMEOUT);
        EventIntake intake = EventIntake.of(
                ledger,
                secrets.contentTag(),
                subjectKeys,
                rules.maxPayloadBytes(),
                config.ingest().maxBatchEvents());
        KafkaEventLog log = KafkaEventLog.open(
                config,
                connection,
                topics.events(),
                ledger.shards(),
                rules.maxPayloadBytes(),
                nanos -> acknowledgements.record(nanos, TimeUnit.NANOSECONDS));
        log.expectEnds(publishedEnds);
        log.learnEnds();
        if (log.hasGoneBack()) {
            fence(topics.events(), log);
            return;
        }
        register(log, ledger.shards());
        open = new OpenLedger(ledger.key(), ledger.shards(), ledger.incarnation(), intake, log);
        state = "open";
        finisher.execute(() -> finishErasures(ledger.incarnation(), intake, log));
        var unused = opener.scheduleWithFixedDelay(
                () -> requireSameLog(log, topics.events(), ledger),
                LOOK.toMillis(),
                LOOK.toMillis(),
                TimeUnit.MILLISECONDS);
        LOG.info("ledger {} open: {} shards, incarnation {}", ledger.origin(), ledger.shards(), ledger.incarnation());
    }

    /** What a door began that was killed is told the ledger by the next one that starts, which tries until all is. */
    private void finishErasures(int incarnation, EventIntake intake, KafkaEventLog log) {
        if (open == null) {
            return;
        }
        try {
            Optional<SubjectKeyStore> store = keys.store();
            int finished = store.isEmpty()
                    ? 0
                    : ErasureBooks.eraser(store.get(), config.producer(), Eraser.Waiting.SLEEPING)
                            .finish(incarnation, new ErasureBooks(intake, log, incarnation));
            if (finished > 0) {
                LOG.warn("the ledger was told of {} keys whose erasure had not ended", finished);
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("ALARM: erasures that were begun were not finished; it is tried again: {}", e.getMessage());
            if (!finisher.isShutdown()) {
                var unused = finisher.schedule(
                        () -> finishErasures(incarnation, intake, log), FINISH_RETRY.toMillis(), TimeUnit.MILLISECONDS);
            }
        }
    }

    private void register(KafkaEventLog log, int shards) {
        for (int shard = 0; shard < shards; shard++) {
            int own = shard;
            Gauge.builder("attestream.ledger.end.offset", log, l -> l.knownEnd(own))
                    .description("Offset of topic events below which everything is accepted, as this gateway knows it")
                    .tag("shard", Integer.toString(shard))
                    .register(metrics);
        }
        producerMetrics = log.metrics();
        producerMetrics.bindTo(metrics);
    }

    /**
     * A topic that was deleted and made again under a running gateway takes records under offsets that were given out before, and
     * of one that was given more partitions nobody reads any more: nothing may be acknowledged there, and what is queued for the
     * topic that was must not be written to it.
     */
    private void requireSameLog(KafkaEventLog log, String topic, LedgerDefinition ledger) {
        log.learnEnds();
        Optional<String> difference = log.describe().flatMap(described -> EventsTopic.difference(described, ledger));
        if (open == null) {
            return;
        }
        if (log.hasGoneBack()) {
            open = null;
            fence(topic, log);
        } else if (difference.isPresent()) {
            open = null;
            refuse(difference.get());
            log.abandon();
        }
    }

    /** Counts on, so that whoever watches sees it for as long as it is so, also of an instance that found it as it started. */
    private void fence(String topic, KafkaEventLog log) {
        fenced = true;
        refuse(
                "topic " + topic
                        + " went back behind its known end: it was deleted and made again, or lost its end. Restore the ledger");
        var unused = opener.scheduleWithFixedDelay(wentBack::increment, 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
        log.abandon();
    }

    private void again(String reason) {
        if (!reason.equals(state)) {
            LOG.info("ledger not open yet: {}", reason);
        }
        state = reason;
        if (!opener.isShutdown()) {
            var unused = opener.schedule(this::tryToOpen, RETRY.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void refuse(String reason) {
        state = "refused: " + reason;
        LOG.error("ledger refused, this instance stays unready until it is started anew: {}", reason);
    }
}
