// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.processors.proofs.ProofsTopology;
import io.attestream.processors.proofs.ShardProofsState;
import io.attestream.processors.sequencer.KafkaFence;
import io.attestream.processors.sequencer.SequencerTopology;
import io.attestream.processors.sequencer.ShardSequencerState;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.WindowBlocks;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Makes the processors' state out of an archive, and writes it into the changelogs of a generation that never ran: Kafka Streams
 * restores from there as after the loss of a disk. Whatever is written is written again, the same, by a second run. Not thread-safe.
 */
public final class StateRestore {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final long POLL_NANOS = 100_000_000;

    private final Map<String, Object> connection;
    private final Topics topics;
    private final NoteVerifier key;
    private final boolean dev;
    private final List<ShardSequencerState> sequencer = new ArrayList<>();
    private final List<ShardProofsState> proofs = new ArrayList<>();

    /**
     * @param connection {@code bootstrap.servers} and what else it takes to connect
     * @param key the ledger's
     * @param dev whether one replica of a changelog is enough
     */
    public StateRestore(Map<String, Object> connection, Topics topics, int shards, NoteVerifier key, boolean dev) {
        this.connection = Map.copyOf(connection);
        this.topics = topics;
        this.key = key;
        this.dev = dev;
        for (int shard = 0; shard < shards; shard++) {
            sequencer.add(new ShardSequencerState());
            proofs.add(new ShardProofsState(shard));
        }
    }

    /** Takes a shard's next leaf. */
    public void leaf(int shard, LeafRecord leaf) {
        sequencer.get(shard).leaf(leaf);
        proofs.get(shard).leaf(leaf);
    }

    /** Takes what became of another record of a shard. */
    public void outcome(int shard, OutcomeRecord outcome) {
        proofs.get(shard).outcome(outcome);
    }

    /** Takes note of a shard's next pack, all of whose leaves were taken. */
    public void pack(PackName pack) {
        proofs.get(pack.shard()).pack(pack);
    }

    /**
     * Writes the state.
     *
     * @param states of all shards at their last leaves, in shard order
     * @param incarnation of topic {@code events}; what comes next is its first record, or the one behind the last leaf
     * @param generation that never ran
     * @throws InvalidFormat if a state is not that of the leaves
     * @throws KafkaException if the cluster does not take it
     */
    public void write(
            List<ShardSnapshot> states, WindowBlocks blocks, int incarnation, int generation, Uuid eventsTopicId)
            throws IOException, InvalidFormat {
        String sequencerGroup = topics.sequencerGroup(generation);
        String proofsGroup = topics.proofsGroup(generation);
        try (Admin admin = Admin.create(connection);
                Changelogs changelogs = new Changelogs(connection)) {
            for (String store : SequencerTopology.STORES) {
                create(admin, changelog(sequencerGroup, store), SequencerTopology.CHANGELOG);
            }
            create(admin, changelog(proofsGroup, ProofsTopology.SHARD_STORE), ProofsTopology.CHANGELOG);
            awaitVisible(admin, sequencerGroup, proofsGroup);
            KafkaFence fence = new KafkaFence(connection, sequencerGroup, topics.events());
            ShardSequencerState.Life life =
                    new ShardSequencerState.Life(generation, incarnation, eventsTopicId, fence.changelogs());
            for (ShardSnapshot state : states) {
                int shard = state.head().shard();
                proofs.get(shard)
                        .write(
                                Math.max(state.head().nextOffset(), LedgerOffset.first(incarnation)),
                                (name, value) -> changelogs.put(
                                        changelog(proofsGroup, ProofsTopology.SHARD_STORE), shard, name, value));
                if (!state.head().size().isEmpty()) {
                    sequencer
                            .get(shard)
                            .write(
                                    state,
                                    blocks,
                                    key,
                                    life,
                                    (store, name, value) ->
                                            changelogs.put(changelog(sequencerGroup, store), shard, name, value));
                }
            }
            changelogs.flush();
        }
    }

    private static String changelog(String group, String store) {
        return group + "-" + store + "-changelog";
    }

    /** As Kafka Streams would make it. */
    private void create(Admin admin, String name, Map<String, String> settings) {
        Map<String, String> config = new HashMap<>(settings);
        config.put("cleanup.policy", "compact");
        config.put("min.insync.replicas", dev ? "1" : "2");
        NewTopic topic = new NewTopic(name, Optional.of(proofs.size()), Optional.of((short) (dev ? 1 : 3)));
        try {
            get(admin.createTopics(Set.of(topic.configs(config))).all());
        } catch (KafkaException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw e;
            }
        }
    }

    /** A broker may not know for a moment what another has just made. */
    private static void awaitVisible(Admin admin, String sequencerGroup, String proofsGroup) {
        List<String> names = new ArrayList<>(List.of(changelog(proofsGroup, ProofsTopology.SHARD_STORE)));
        SequencerTopology.STORES.forEach(store -> names.add(changelog(sequencerGroup, store)));
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (true) {
            try {
                get(admin.describeTopics(names).allTopicNames());
                return;
            } catch (KafkaException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException) || System.nanoTime() > deadline) {
                    throw e;
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    private static <T> void get(KafkaFuture<T> future) {
        try {
            future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new KafkaException(String.valueOf(e.getMessage()), e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("the cluster did not answer within " + TIMEOUT.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        }
    }

    /** Writes records, and tells at the end whether all were taken. */
    private static final class Changelogs implements AutoCloseable {
        private final Producer<byte[], byte[]> producer;
        private final AtomicReference<Exception> failure = new AtomicReference<>();

        Changelogs(Map<String, Object> connection) {
            Map<String, Object> config = new HashMap<>(connection);
            config.put(ProducerConfig.ACKS_CONFIG, "all");
            config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
            config.put(ProducerConfig.LINGER_MS_CONFIG, 5);
            producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
        }

        void put(String topic, int shard, byte[] name, byte[] value) {
            var unused = producer.send(new ProducerRecord<>(topic, shard, name, value), (metadata, error) -> {
                if (error != null) {
                    failure.compareAndSet(null, error);
                }
            });
        }

        void flush() {
            producer.flush();
            Exception failed = failure.get();
            if (failed != null) {
                throw new KafkaException("the state could not be written: " + failed.getMessage(), failed);
            }
        }

        @Override
        public void close() {
            producer.close(TIMEOUT);
        }
    }
}
