// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The tree that was fuzzed.
 *
 * @param commit that was checked out; "" where there is no repository
 * @param isClean whether it was as that commit has it
 */
record FuzzedTree(String commit, boolean isClean) {
    /** As it is now, by the program {@code git}. */
    static FuzzedTree now() throws IOException, InterruptedException {
        Optional<String> commit = git("rev-parse", "--verify", "HEAD^{commit}");
        Optional<String> changes = git("status", "--porcelain=v1", "--untracked-files=all");
        return new FuzzedTree(commit.orElse(""), changes.filter(String::isEmpty).isPresent());
    }

    private static Optional<String> git(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().keySet().removeIf(name -> name.startsWith("GIT_"));
        Process git;
        try {
            git = builder.start();
        } catch (IOException e) {
            return Optional.empty(); // fuzzing needs no git
        }
        String out = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        boolean good = git.waitFor() == 0;
        return good ? Optional.of(out.strip()) : Optional.empty();
    }
}
