// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    private static final String ROOT = Rfc6962.EMPTY_ROOT.base64();

    @Test
    void readsTheGoldenCheckpoint() throws Exception {
        String text = SignedNote.parse(Golden.text("checkpoint-v1.txt")).text();
        Checkpoint checkpoint = Checkpoint.parse(text);
        assertThat(checkpoint.origin()).isEqualTo(Samples.ORIGIN);
        assertThat(checkpoint.size()).isEqualTo(new TreeSize(3));
        assertThat(checkpoint.root()).isEqualTo(new ReferenceTree(Samples.epochs()).root(3));
        assertThat(checkpoint.extensions()).isEmpty();
        assertThat(checkpoint.text()).isEqualTo(text);
    }

    @Test
    void readsBackWhatItWrites() {
        Seeded.check(200, random -> {
            List<String> extensions = random.chance(30) ? List.of(random.text(20), random.text(3)) : List.of();
            Checkpoint checkpoint = new Checkpoint(
                    random.text(30), new TreeSize(random.unsigned()), Hash.of(random.bytes(32)), extensions);
            assertThat(Checkpoint.parse(checkpoint.text())).isEqualTo(checkpoint);
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "'' | checkpoint",
                "'o~3~R' | checkpoint",
                "'o~3~' | checkpoint",
                "'~3~R~' | checkpoint",
                "'o~~R~' | checkpoint",
                "'o~3~R~~' | checkpoint",
                "'o~3~R~~ext~' | checkpoint",
                "'o~03~R~' | size",
                "'o~-3~R~' | size",
                "'o~+3~R~' | size",
                "'o~3 ~R~' | size",
                "'o~three~R~' | size",
                "'o~18446744073709551616~R~' | size",
                "'o~3~AAAA~' | root",
                "'o~3~R=~' | root",
                "'o~3~ R~' | root",
                "'o~3~R ~' | root",
            })
    void refusesACheckpointNamingTheLine(String lines, String field) {
        String text = lines.replace('~', '\n').replace("R", ROOT);
        assertThatThrownBy(() -> Checkpoint.parse(text))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb"})
    void refusesAnOriginOrExtensionThatIsNotALine(String line) {
        assertThatThrownBy(() -> new Checkpoint(line, TreeSize.ZERO, Rfc6962.EMPTY_ROOT))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Checkpoint("o", TreeSize.ZERO, Rfc6962.EMPTY_ROOT, List.of(line)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
