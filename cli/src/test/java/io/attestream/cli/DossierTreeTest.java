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
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(root.toFile()).redirectErrorStream(true);
        ShellBlocks.leaveOutGitOf(builder.environment());
        Process process = builder.start();
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
    void evidenceIsOfACleanTreeThoughOtherEvidenceIsNewInIt() throws Exception {
        // given
        String head = git("rev-parse", "HEAD");
        Files.createDirectories(root.resolve("docs/drill-evidence/one"));
        Files.writeString(root.resolve("docs/drill-evidence/one/report.json"), "{}");
        Files.writeString(root.resolve("docs/durability-matrix.json"), "{}");

        // then: unless it was built of something else
        assertThat(EvidenceOrigin.of(DossierTree.of(root), false)).isEqualTo(new EvidenceOrigin(head, true));
        assertThat(EvidenceOrigin.of(DossierTree.of(root), true)).isEqualTo(new EvidenceOrigin(head, false));

        // and
        Path other = Files.writeString(root.resolve("docs/drill-evidence.md"), "x");
        assertThat(EvidenceOrigin.of(DossierTree.of(root), false).treeClean()).isFalse();
        Files.delete(other);
        Files.writeString(root.resolve("é a.md"), "two");
        assertThat(EvidenceOrigin.of(DossierTree.of(root), false).treeClean()).isFalse();
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

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void onlyTheVeryBytesOfTheCommitAreCommitted() throws Exception {
        Files.createSymbolicLink(root.resolve("link"), Path.of("one"));
        commit();
        DossierTree tree = DossierTree.of(root);
        assertThat(tree.isCommitted("é a.md", utf8("one"))).isTrue();
        assertThat(tree.isCommitted("é a.md", utf8("two"))).isFalse();
        assertThat(tree.isCommitted("new.md", utf8("one"))).isFalse();
        assertThat(tree.isCommitted("link", utf8("one"))).as("no regular file").isFalse();
    }

    @Test
    void gitMayBeToldThatNothingChangedAndItIsNotCommittedForThat() throws Exception {
        for (String told : List.of("assume-unchanged", "skip-worktree")) {
            git("update-index", "--" + told, "é a.md");
            Files.writeString(root.resolve("é a.md"), "two");
            DossierTree tree = DossierTree.of(root);
            assertThat(tree.changes()).as("else this shows nothing").isEmpty();
            assertThat(tree.isCommitted("é a.md", utf8("two"))).as(told).isFalse();
            Files.writeString(root.resolve("é a.md"), "one");
            git("update-index", "--no-" + told, "é a.md");
        }
    }

    @Test
    void aFilterThatMakesItWhatWasCommittedDoesNotMakeItCommitted() throws Exception {
        git("config", "filter.hide.clean", "printf one");
        Files.writeString(root.resolve(".git/info/attributes"), "*.md filter=hide\n");
        Files.writeString(root.resolve("é a.md"), "two");
        DossierTree tree = DossierTree.of(root);
        assertThat(tree.changes()).as("else this shows nothing").isEmpty();
        assertThat(tree.isCommitted("é a.md", utf8("two"))).isFalse();
        assertThat(tree.isCommitted("é a.md", utf8("one"))).isTrue();
    }

    @Test
    void whatWasPutInPlaceOfACommitIsNotBelieved() throws Exception {
        // given a commit outside the history, which git is told to take for one in it
        String first = git("rev-parse", "HEAD");
        git("checkout", "-q", "--orphan", "other");
        Files.writeString(root.resolve("é a.md"), "two");
        commit();
        String other = git("rev-parse", "HEAD");
        git("checkout", "-q", "main");
        git("replace", first, other);
        git("checkout", "-q", "-f", "main");

        // then
        DossierTree tree = DossierTree.of(root);
        assertThat(tree.isCommitted("é a.md", utf8("one"))).isTrue();
        assertThat(tree.isCommitted("é a.md", utf8("two"))).isFalse();
        git("replace", "-d", first);
        Files.writeString(root.resolve(".git/info/grafts"), first + " " + other + "\n");
        assertThat(tree.isAncestor(other)).isFalse();
    }

    @Test
    void aShallowRepositoryCannotSayWhatIsNoAncestor() throws Exception {
        // given
        String first = git("rev-parse", "HEAD");
        Files.writeString(root.resolve("more.md"), "x");
        commit();
        Path shallow = scratch.resolve("shallow");
        git("clone", "-q", "--depth", "1", root.toUri().toString(), shallow.toString());

        // then
        DossierTree tree = DossierTree.of(shallow);
        assertThat(tree.isAncestor(tree.head())).isTrue();
        assertThatThrownBy(() -> tree.isAncestor(first)).isInstanceOfSatisfying(CliException.class, e -> {
            assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(e.next()).contains("git fetch --unshallow");
        });
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
