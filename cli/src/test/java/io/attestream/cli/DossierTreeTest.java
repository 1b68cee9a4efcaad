// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What git says, by a real repository. */
class DossierTreeTest {
    @TempDir
    private Path scratch;

    private Path root;

    @BeforeEach
    void makeRepository() throws Exception {
        root = Files.createDirectory(scratch.resolve("repository"));
        git("init", "-q", "-b", "main");
        Files.writeString(root.resolve("é a.md"), "one");
        commit();
    }

    private void commit() throws Exception {
        git("add", "-A");
        git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "--no-gpg-sign", "-m", "m");
    }

    private String git(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(root.toFile())
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(out).isZero();
        return out.strip();
    }

    @Test
    void aCleanTreeHasNoChangesAndAnEditedOneNamesThem() throws Exception {
        DossierTree tree = DossierTree.of(root);
        assertThat(tree.changes()).isEmpty();
        assertThat(tree.head()).isEqualTo(git("rev-parse", "HEAD"));
        Files.writeString(root.resolve("é a.md"), "two");
        Files.writeString(root.resolve("new.md"), "new");
        assertThat(tree.changes()).containsExactlyInAnyOrder("é a.md", "new.md");
        assertThat(tree.lastChange("é a.md")).isEmpty();
    }

    @Test
    void onlyWhatIsInTheHistoryIsAnAncestor() throws Exception {
        // given
        String first = git("rev-parse", "HEAD");
        git("checkout", "-q", "-b", "other");
        Files.writeString(root.resolve("other.md"), "x");
        commit();
        String other = git("rev-parse", "HEAD");
        git("checkout", "-q", "main");
        Files.writeString(root.resolve("more.md"), "x");
        commit();

        // then
        DossierTree tree = DossierTree.of(root);
        assertThat(tree.isAncestor(first)).isTrue();
        assertThat(tree.isAncestor(tree.head())).isTrue();
        assertThat(tree.isAncestor(other)).isFalse();
        assertThat(tree.isAncestor("0".repeat(40))).isFalse();
        assertThat(tree.lastChange("é a.md").orElseThrow().commit()).isEqualTo(first);
    }

    @Test
    void whatIsNoTopOfARepositoryIsRefused() throws Exception {
        Path below = Files.createDirectory(root.resolve("below"));
        assertThatThrownBy(() -> DossierTree.of(below))
                .isInstanceOfSatisfying(
                        CliException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE));
        assertThatThrownBy(() -> DossierTree.of(scratch).head()).isInstanceOf(CliException.class);
    }
}
