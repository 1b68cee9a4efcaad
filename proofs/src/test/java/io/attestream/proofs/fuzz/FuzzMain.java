// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.fuzz.FuzzTargets.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs Jazzer over one target after the other, each in a process of its own, and exits with 1 if one found something. What
 * was interesting is kept in {@code target/fuzz} and begun with the next time; what broke an invariant is there too. What came
 * of it all is told in {@code fuzz.json}.
 */
final class FuzzMain {
    private FuzzMain() {}

    /** @param args seconds for each target, directory to work in, and names of targets; without names all of them */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[1]);
        List<String> wanted = List.of(args).subList(2, args.length).stream()
                .filter(name -> !name.isBlank())
                .toList();
        List<String> known = FuzzTargets.all().stream().map(Target::name).toList();
        if (!known.containsAll(wanted)) {
            throw new IllegalArgumentException("targets are " + known + ", not all of " + wanted);
        }
        FuzzedTree tree = FuzzedTree.now();
        List<FuzzReport.Run> runs = new ArrayList<>();
        for (Target target : FuzzTargets.all()) {
            if (wanted.isEmpty() || wanted.contains(target.name())) {
                runs.add(new FuzzReport.Run(target.name(), fuzz(target, args[0], directory), log(directory, target)));
            }
        }
        Instant endedAt = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        FuzzReport report = new FuzzReport(tree, endedAt, Long.parseLong(args[0]), known.size(), runs);
        Files.write(directory.resolve("fuzz.json"), report.json());
        if (report.findings() > 0) {
            System.err.println("an invariant broke in " + report.failed() + "; the inputs are in " + directory);
            System.exit(1);
        }
    }

    private static String log(Path directory, Target target) throws Exception {
        return Files.readString(directory.resolve(target.name()).resolve("jazzer.log"));
    }

    private static boolean fuzz(Target target, String seconds, Path directory) throws Exception {
        Path own = Files.createDirectories(directory.resolve(target.name()));
        Path found = Files.createDirectories(own.resolve("corpus"));
        Path seeds = Files.createDirectories(own.resolve("seeds"));
        writeSeeds(target, seeds);
        System.out.println("fuzzing " + target + " for " + seconds + " s");
        Process jazzer = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx768m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "com.code_intelligence.jazzer.Jazzer",
                        "--target_class=" + target.type().getName(),
                        "--instrumentation_includes=io.attestream.**",
                        "--reproducer_path=" + own,
                        "-artifact_prefix=" + own + "/",
                        "-max_total_time=" + seconds,
                        "-print_final_stats=1",
                        found.toString(),
                        seeds.toString())
                .redirectErrorStream(true)
                .redirectOutput(own.resolve("jazzer.log").toFile())
                .start();
        int exit = jazzer.waitFor();
        System.out.println("  exit " + exit + ", log in " + own.resolve("jazzer.log"));
        return exit == 0;
    }

    private static void writeSeeds(Target target, Path directory) throws Exception {
        int number = 0;
        for (byte[] input : FuzzTargets.ownCorpus(target)) {
            Files.write(directory.resolve("seed-" + number++), input);
        }
    }
}
