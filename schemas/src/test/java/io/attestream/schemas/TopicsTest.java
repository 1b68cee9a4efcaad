// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicsTest {
    private final Topics topics = new Topics("led-1");

    @Test
    void namesArePinned() {
        assertThat(topics.events()).isEqualTo("led-1.events");
        assertThat(topics.sealed()).isEqualTo("led-1.sealed");
        assertThat(topics.outcomes()).isEqualTo("led-1.outcomes");
        assertThat(topics.checkpoints()).isEqualTo("led-1.checkpoints");
        assertThat(topics.inbox("acme")).isEqualTo("led-1.inbox.acme");
        assertThat(topics.inboxOutcomes()).isEqualTo("led-1.inbox-outcomes");
        assertThat(topics.sequencerGroup(3)).isEqualTo("led-1.sequencer.g3");
        assertThat(topics.restoringGroup(3)).isEqualTo("led-1.sequencer.g3.restoring");
        assertThat(topics.isRestoringGroup(topics.restoringGroup(3))).isTrue();
        assertThat(topics.isRestoringGroup(topics.sequencerGroup(3))).isFalse();
        assertThat(topics.proofsGroup(3)).isEqualTo("led-1.proofs.g3");
        assertThat(topics.admissionGroup()).isEqualTo("led-1.admission");
        assertThat(topics.checkpointerTransactionalId()).isEqualTo("led-1.checkpointer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a.b", "a b", "ü", "12345678901234567890123456789012345678901234567890123456789012345"})
    void namesThatKafkaCouldConfuseAreRefused(String name) {
        assertThatThrownBy(() -> new Topics(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("attestream.topics.prefix");
        assertThatThrownBy(() -> topics.inbox(name)).isInstanceOf(IllegalArgumentException.class);
        assertThat(Topics.isTenant(name)).isFalse();
    }

    @Test
    void everySchemaHasItsTopic() {
        assertThat(SchemaTexts.current().keySet().stream().map(name -> SchemaTexts.topicOf(name, topics)))
                .containsExactly(topics.events(), topics.sealed(), topics.outcomes(), topics.checkpoints());
    }
}
