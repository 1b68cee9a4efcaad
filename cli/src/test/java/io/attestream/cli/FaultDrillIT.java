// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fault is done to a whole cluster, and judged; all faults are done every night. */
@Tag("restores")
class FaultDrillIT {
    private static final Duration PATIENCE = Duration.ofMinutes(8);

    @TempDir
    private Path scratch;

    private Script.Ended drill(String... more) throws Exception {
        String[] command = new String[4 + more.length];
        System.arraycopy(
                new String[] {
                    "drill",
                    "faults",
                    "--result",
                    scratch.resolve("result.json").toString()
                },
                0,
                command,
                0,
                4);
        System.arraycopy(more, 0, command, 4, more.length);
        return Script.run(scratch, PATIENCE, command);
    }

    @Test
    void aFaultIsSurvivedAndOneThatLosesAnEventIsNot() throws Exception {
        // given, when
        Script.Ended done = drill("--fault", "sigkill", "--moment", "snapshot", "--strikes", "1");

        // then
        assertThat(done.exitCode()).as(done.out() + done.err()).isEqualTo(ExitCode.OK);
        assertThat(done.out()).contains("survived").contains("1/1, hit");
        FaultMatrix matrix = FaultMatrix.read(scratch.resolve("result.json"));
        assertThat(matrix.isSurvived()).isTrue();
        assertThat(FaultMatrix.list(matrix.faults().get(0).path("checks"))).anySatisfy(check -> {
            assertThat(check.path("check").asText()).isEqualTo("history");
            assertThat(check.path("outcome").asText()).isEqualTo("passed");
            assertThat(check.path("detail").asText()).matches("[0-9]+ operations .* [1-9][0-9]* leaves");
        });

        // and with an acknowledgement that never was
        Script.Ended spoilt = drill("--fault", "sigkill", "--moment", "checkpoint", "--strikes", "1", "--mutate");
        assertThat(spoilt.exitCode()).as(spoilt.out() + spoilt.err()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(spoilt.out()).contains("NOT SURVIVED");
        assertThat(spoilt.err())
                .contains("never-sent was acknowledged and is not proved")
                .contains("1 lost, first: demo /drill/")
                .contains("never-sent");
    }

    @Test
    void aDiskOfItsOwnIsFilledOrTheFaultIsSaidToBeUntested() throws Exception {
        Script.Ended done = drill("--fault", "disk-full", "--moment", "snapshot", "--strikes", "1");
        boolean canMount = SmallDisks.canUnshare();
        assertThat(done.exitCode())
                .as(done.out() + done.err())
                .isEqualTo(canMount ? ExitCode.OK : ExitCode.UNAVAILABLE);
        assertThat(FaultMatrix.read(scratch.resolve("result.json")).isSurvived())
                .isEqualTo(canMount);
    }

    @Test
    void whatIsNotDoneIsNoSuccess() throws Exception {
        Script.Ended untested = drill("--fault", "slow-disk");
        assertThat(untested.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(untested.out()).contains("not tested");

        Script.Ended nowhere = drill("--fault", "flipped-bit", "--moment", "ingest");
        assertThat(nowhere.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(nowhere.err()).contains("is not done at any of ingest");
    }
}
