// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.attestream.cli.FaultDrill.CellResult;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What was not done is never said to be survived. */
class FaultMatrixTest {
    private static final EvidenceOrigin ORIGIN = new EvidenceOrigin("c".repeat(40), true);

    private static FaultMatrix matrix(FaultDrill.Result... results) {
        return FaultMatrix.of(Map.of(
                "takenAt",
                "2026-01-01T00:00:00Z",
                "faults",
                Arrays.stream(results)
                        .map(result -> FaultMatrix.json(result, ORIGIN))
                        .toList()));
    }

    private static FaultDrill.Result done(int survived) {
        return new FaultDrill.Result(
                Fault.SIGKILL,
                Optional.empty(),
                List.of(new CellResult(
                        "checkpointer", FaultMoment.SNAPSHOT, 2, survived, 1, List.of(1_234L, 2_345L), List.of())),
                List.of(),
                10);
    }

    private static FaultDrill.Result untested() {
        return new FaultDrill.Result(Fault.SLOW_DISK, Optional.of("cannot be done"), List.of(), List.of(), 0);
    }

    @Test
    void everyFaultSaysOfWhichTreeItIs() {
        assertThat(matrix(done(2), untested()).faults()).hasSize(2).allSatisfy(fault -> {
            assertThat(fault.path("commit").asText()).isEqualTo(ORIGIN.commit());
            assertThat(fault.path("treeClean").booleanValue()).isTrue();
        });
    }

    @Test
    void survivedIsWhatWentOnAfterEveryStrike() {
        assertThat(matrix(done(2)).isSurvived()).isTrue();
        assertThat(matrix(done(1)).isSurvived()).isFalse();
        assertThat(matrix(done(2), untested()).isSurvived()).isTrue();
        assertThat(matrix(done(0), untested()).isSurvived()).isFalse();
    }

    @Test
    void whatWasNotDoneIsNotSurvived() {
        FaultDrill.Result nothing = new FaultDrill.Result(Fault.SIGKILL, Optional.empty(), List.of(), List.of(), 10);

        assertThat(matrix(untested()).isSurvived()).isFalse();
        assertThat(matrix(untested()).isTested()).isFalse();
        assertThat(nothing.isSurvived()).isFalse();
        assertThat(matrix(nothing).isSurvived()).isFalse();
        assertThat(matrix().isSurvived()).isFalse();
    }

    @Test
    void whatAnEarlierResultHasOfOtherFaultsIsKeptAndOfTheSameIsReplaced() {
        FaultMatrix merged = matrix(done(2)).keeping(matrix(untested(), done(1)));

        assertThat(merged.faults())
                .extracting(
                        fault -> fault.path("fault").asText(),
                        fault -> fault.path("cells").path(0).path("survived").asInt(-1))
                .containsExactly(tuple("sigkill", 2), tuple("slow-disk", -1));
    }

    @Test
    void theTableSaysHowManyAndHowLong() {
        assertThat(matrix(done(2), untested()).rows())
                .contains(List.of("sigkill", "checkpointer", "-", "-", "-", "2/2, hit 1, 2.3 s", "-", "-", "-"))
                .contains(List.of(
                        "slow-disk",
                        "-",
                        "not tested",
                        "not tested",
                        "not tested",
                        "not tested",
                        "not tested",
                        "not tested",
                        "not tested"));
        assertThat(matrix(done(1)).rows().get(1)).contains("NOT SURVIVED 1/2");
    }

    /** The disk of this machine is never filled. */
    @ParameterizedTest
    @EnumSource(Fault.class)
    void whatIsFilledIsADiskOfItsOwn(Fault fault) {
        if (!fault.mounts().isEmpty()) {
            assertThat(fault.strikes().keySet()).isSubsetOf(fault.mounts());
        }
        // What can be done nowhere says why; some can be done where a library is installed.
        assertThat(fault.cells().isEmpty() && fault.untested().isEmpty()).isFalse();
    }
}
