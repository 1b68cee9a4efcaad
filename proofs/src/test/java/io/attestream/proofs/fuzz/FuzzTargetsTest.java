// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.fuzz.FuzzTargets.Target;
import io.attestream.proofs.support.Seeded;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FuzzTargetsTest {
    private static final int MUTATIONS = 1500;

    static List<Target> targets() throws Exception {
        return FuzzTargets.all();
    }

    @Test
    void areThereForEveryParser() throws Exception {
        assertThat(FuzzTargets.all())
                .extracting(Target::name)
                .containsExactlyInAnyOrderElementsOf(FuzzTargets.expected());
    }

    @ParameterizedTest
    @MethodSource("targets")
    void holdOverTheCorpus(Target target) throws Exception {
        for (byte[] input : FuzzTargets.corpus()) {
            run(target, input);
        }
    }

    @ParameterizedTest
    @MethodSource("targets")
    void holdOverMutationsOfTheCorpus(Target target) throws Exception {
        // given what the target is made for, and what it is not
        List<byte[]> own = FuzzTargets.ownCorpus(target);
        List<byte[]> all = FuzzTargets.corpus();

        Seeded.check(MUTATIONS, random -> {
            // when some of it is changed
            List<byte[]> corpus = random.chance(90) ? own : all;
            byte[] input = random.mutated(corpus.get(random.below(corpus.size())));

            // then the invariant holds
            run(target, input);
        });
    }

    private static void run(Target target, byte[] input) {
        try {
            target.run(input);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(target + " with input " + HexFormat.of().formatHex(input), e);
        }
    }
}
