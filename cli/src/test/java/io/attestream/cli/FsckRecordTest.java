// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.operations.evidence.Evidence;
import io.attestream.operations.evidence.EvidenceReader;
import io.attestream.operations.evidence.LastRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FsckRecordTest {
    private static final Instant ENDED_AT = Instant.parse("2026-01-05T09:00:00.250Z");

    @TempDir
    private Path evidence;

    private Path write(String scope, Instant endedAt, String status) {
        return FsckRecord.write(evidence.resolve("fsck"), scope, endedAt, Map.of("status", status, "epochs", 12));
    }

    @Test
    void aGatewayReadsTheNewestOfEachScope() {
        // given
        write("ledger", ENDED_AT, "good");
        write("archive", ENDED_AT.plusSeconds(1), "undecided");
        write("ledger", ENDED_AT.plusSeconds(2), "damaged");
        write("archive", ENDED_AT.plusSeconds(3), "good");

        // when
        Evidence read = new EvidenceReader(evidence).read();

        // then
        assertThat(read.problems()).isEmpty();
        assertThat(read.runs())
                .extracting(LastRun::kind, LastRun::name, LastRun::passed, LastRun::endedAt)
                .containsExactly(
                        Tuple.tuple(LastRun.Kind.FSCK, "archive", true, ENDED_AT.plusSeconds(3)),
                        Tuple.tuple(LastRun.Kind.FSCK, "ledger", false, ENDED_AT.plusSeconds(2)));
    }

    @Test
    void whatCouldNotBeDecidedDidNotPass() {
        write("ledger", ENDED_AT, "undecided");
        assertThat(new EvidenceReader(evidence).read().runs())
                .singleElement()
                .satisfies(run -> assertThat(run.passed()).isFalse());
    }

    @Test
    void whatCannotBeWrittenIsSaid() throws Exception {
        Files.writeString(evidence.resolve("fsck"), "a file in the way");
        assertThatThrownBy(() -> write("ledger", ENDED_AT, "good"))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("fsck");
    }
}
