// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The judge is judged: by histories of a good ledger, and by those in which one thing went wrong. More of both with {@code -Dattestream.histories=2000}.
 */
class HistoryCheckerTest {
    private static final int GOOD_HISTORIES = Integer.getInteger("attestream.histories", 120);
    private static final int SPOILT_HISTORIES = Math.max(1, GOOD_HISTORIES / 30);
    private static final int TRIES_MAX = 400;
    private static final int STEPS = 500;

    @TempDir
    private Path scratch;

    /** @param strict of the same, if nothing is tolerated */
    private record Simulated(long seed, Optional<String> planted, Verdict verdict, Verdict strict) {}

    private Simulated simulate(long seed, Optional<PlantedFlaw> flaw) throws Exception {
        Path file = scratch.resolve("history-" + seed + ".jsonl");
        long windowLeaves = 5 + Math.floorMod(seed, 60L);
        SimulatedLedger ledger;
        try (History history = History.create(file, windowLeaves, Optional.of(SimulatedLedger.OTHERS))) {
            ledger = new SimulatedLedger(seed, flaw, history, windowLeaves);
            ledger.run(STEPS);
        }
        Verdict verdict = HistoryChecker.check(file, EnumSet.of(Tolerated.LATE, Tolerated.LOSS));
        Verdict strict = HistoryChecker.check(file);
        Files.delete(file);
        return new Simulated(seed, ledger.planted(), verdict, strict);
    }

    @Test
    void aGoodHistoryIsValidWhateverClientsDid() throws Exception {
        long first = new Random().nextInt();
        System.out.println("seeds from " + first);
        long acknowledged = 0;
        long unknown = 0;
        long toldLost = 0;
        for (long seed = first; seed < first + GOOD_HISTORIES; seed++) {
            Simulated simulated = simulate(seed, Optional.empty());
            Verdict verdict = simulated.verdict();
            assertThat(verdict.anomalies()).as("seed " + seed).isEmpty();
            assertThat(counts(simulated.strict())).as("seed " + seed).isEqualTo(whatIsTolerated(verdict));
            acknowledged += verdict.statistics().acknowledged();
            unknown += verdict.statistics().info();
            toldLost += verdict.statistics().toldLost();
            assertThat(verdict.statistics().unjudged()).as("seed " + seed).isEqualTo(1);
        }
        assertThat(acknowledged).isGreaterThan(20L * GOOD_HISTORIES);
        assertThat(unknown).isGreaterThan(GOOD_HISTORIES);
        assertThat(toldLost).isPositive();
    }

    private static Map<AnomalyKind, Long> counts(Verdict verdict) {
        return verdict.anomalies().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, found -> found.getValue().count()));
    }

    private static Map<AnomalyKind, Long> whatIsTolerated(Verdict verdict) {
        Map<AnomalyKind, Long> counts = new EnumMap<>(AnomalyKind.class);
        counts.put(AnomalyKind.UNJUDGED, verdict.statistics().unjudged());
        if (verdict.statistics().toldLost() > 0) {
            counts.put(AnomalyKind.LOST, verdict.statistics().toldLost());
        }
        return counts;
    }

    @ParameterizedTest
    @EnumSource
    void whatWentWrongOnceIsFoundAndNamed(PlantedFlaw flaw) throws Exception {
        long first = new Random().nextInt();
        System.out.println("seeds from " + first);
        int found = 0;
        for (long seed = first; found < SPOILT_HISTORIES; seed++) {
            assertThat(seed - first).as("no occasion for it").isLessThan(TRIES_MAX);
            Simulated simulated = simulate(seed, Optional.of(flaw));
            if (simulated.planted().isPresent()) {
                requireFound(flaw, simulated);
                found++;
            }
        }
    }

    private static void requireFound(PlantedFlaw flaw, Simulated simulated) {
        String planted = simulated.planted().orElseThrow();
        String where = flaw + " with seed " + simulated.seed() + ": " + planted;
        Verdict verdict = simulated.verdict();
        assertThat(verdict.anomalies()).as(where).containsKey(flaw.kind);
        assertThat(String.join("\n", verdict.anomalies().get(flaw.kind).examples()))
                .as(where)
                .contains(planted);
        Set<AnomalyKind> expected = EnumSet.copyOf(flaw.beside);
        expected.add(flaw.kind);
        assertThat(expected).as(where).containsAll(verdict.anomalies().keySet());
    }
}
