// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.fuzz.FuzzTargets.Target;
import io.attestream.proofs.support.Seeded;
import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
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
        assertThat(parsers())
                .as("parsers of the module; a new one needs a target, and a line in FuzzTargets.PARSERS")
                .isEqualTo(FuzzTargets.PARSERS.keySet());
        assertThat(FuzzTargets.expected()).containsAll(FuzzTargets.PARSERS.values());
    }

    /** What the module makes of bytes or text and may refuse: found in its classes, so that none is forgotten. */
    private static Set<String> parsers() throws Exception {
        Path classes = Path.of(InvalidFormat.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Set<String> parsers = new TreeSet<>();
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class"))
                    .filter(path -> !path.endsWith("module-info.class"))
                    .toList()) {
                String name = classes.relativize(file).toString().replace(File.separatorChar, '.');
                Class<?> type = Class.forName(name.substring(0, name.length() - ".class".length()));
                Stream.of(type.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(type.getModifiers()) && isParser(method))
                        .forEach(method -> parsers.add(type.getSimpleName() + "." + method.getName()));
            }
        }
        return parsers;
    }

    private static boolean isParser(Method method) {
        int modifiers = method.getModifiers();
        return Modifier.isPublic(modifiers)
                && Modifier.isStatic(modifiers)
                && method.getReturnType() != void.class
                && List.of(method.getExceptionTypes()).contains(InvalidFormat.class)
                && (method.getParameterTypes()[0] == byte[].class || method.getParameterTypes()[0] == String.class);
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
