// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;

/** The SHA-256 over names and topic ids of the changelog topics, as the cluster tells them. Thread-safe. */
public final class AdminChangelogIdentity implements ChangelogIdentity {
    private static final long TIMEOUT_SECONDS = 15;

    private final Map<String, Object> connection;
    private final List<String> changelogTopics;

    /** @param applicationId of the sequencer */
    public AdminChangelogIdentity(Map<String, Object> connection, String applicationId) {
        this.connection = Map.copyOf(connection);
        this.changelogTopics = SequencerTopology.STORES.stream()
                .map(store -> applicationId + "-" + store + "-changelog")
                .toList();
    }

    @Override
    public byte[] current() {
        try (Admin admin = Admin.create(connection)) {
            Map<String, TopicDescription> topics =
                    admin.describeTopics(changelogTopics).allTopicNames().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            new TreeMap<>(topics)
                    .forEach((name, topic) ->
                            sha256.update((name + "=" + topic.topicId() + "\n").getBytes(StandardCharsets.UTF_8)));
            return sha256.digest();
        } catch (ExecutionException | TimeoutException e) {
            throw new KafkaException("the changelog topics could not be described", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
