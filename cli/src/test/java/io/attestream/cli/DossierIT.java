// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.note.NoteSigner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/dossier.md as it stands there, on a repository of its own and a real ledger. */
@Tag("ledgers")
class DossierIT {
    private static final Path PAGE = Script.HOME.resolve("docs/dossier.md");

    @TempDir
    private Path scratch;

    @Test
    void thePagesCommandsRecordTheEvidenceAndDecide() throws Exception {
        Path root = Files.createDirectory(scratch.resolve("repository"));
        List<String> blocks = ShellBlocks.of(PAGE, "");
        assertThat(blocks).hasSize(2);
        try (Up up = Up.start(scratch, scratch.resolve("data"))) {
            // given a policy that believes the keys, evidence, and nothing of a scan
            makeRepository(root, up.cluster().ledgerKey());

            // when
            ShellBlocks.Ended noGo = shell(root, blocks.get(0));

            // then
            assertThat(noGo.exitCode()).as(noGo.output()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(noGo.output()).containsPattern("books +passed").contains("\nNO-GO\n");
            ShellBlocks.Ended again = shell(
                    root,
                    "./attestream dossier record --data-dir ./attestream-data --key artifacts/keys/evidence.skey");
            assertThat(again.exitCode()).as("recorded twice: " + again.output()).isZero();
            shell(root, "git checkout -q -- release");
        }

        // and without the ledger
        ShellBlocks.Ended waived = shell(root, blocks.get(1));
        assertThat(waived.exitCode()).as(waived.output()).isZero();
        assertThat(waived.output()).contains("\nGO-WITH-WAIVERS\n");
        assertThat(root.resolve("artifacts/dossier-waived/evidence/release/books.json"))
                .isNotEmptyFile();

        // and when a byte is another one
        DossierScene.flip(root.resolve("release/books.json"), 1_000);
        Script.Ended altered = Script.run(
                scratch,
                Duration.ofMinutes(1),
                "dossier",
                "build",
                "--repository",
                root.toString(),
                "--dir",
                scratch.resolve("altered").toString());
        assertThat(altered.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(altered.out()).contains("release/books.json  has SHA-256");
    }

    private void makeRepository(Path root, String ledgerKey) throws Exception {
        String evidence = key(root, "evidence");
        String owner = key(root, "owner");
        key(root, "release");
        Files.createDirectories(root.resolve("evidence"));
        Files.createDirectories(root.resolve("release"));
        Files.writeString(root.resolve("evidence/report.json"), "{\"lost\":0}\n");
        Files.writeString(root.resolve("evidence/notes.md"), "# Notes\n");
        Files.writeString(root.resolve(".gitignore"), "/artifacts/\n/attestream-data/\n");
        Files.copy(Script.HOME.resolve("release/books.schema.json"), root.resolve("release/books.schema.json"));
        Files.createSymbolicLink(root.resolve("attestream"), Script.HOME.resolve("attestream"));
        Files.writeString(root.resolve("release/policy.json"), """
                {"v":1,"keys":{"evidence":"%1$s","drills":"%1$s","ledger":"%2$s","waivers":["%3$s"]},"waiverDaysMax":30,"criteria":[
                {"id":"report","claim":"Nothing is lost","reference":"here","evidence":["evidence/*"],"schemas":[],"verify":"files",
                 "require":[{"files":"evidence/report.json","pointer":"/lost","is":0}],"allow":[],"maxAgeHours":24,
                 "blocking":true,"waivable":false,"ifMissing":"fails","notAssessedBlocks":true},
                {"id":"vulnerability-scan","claim":"Scanned","reference":"there","evidence":["release/scan.json"],"schemas":[],
                 "verify":"files","require":[],"allow":[],"maxAgeHours":24,"blocking":true,"waivable":true,
                 "ifMissing":"not-assessed","notAssessedBlocks":true},
                {"id":"books","claim":"Recorded","reference":"docs","evidence":["release/books.json"],
                 "schemas":[{"files":"release/books.json","schema":"release/books.schema.json"}],"verify":"books","require":[],
                 "allow":[],"maxAgeHours":24,"blocking":true,"waivable":false,"ifMissing":"fails","notAssessedBlocks":true}]}
                """.formatted(evidence, ledgerKey, owner));
        ShellBlocks.Ended made = ShellBlocks.run(scratch, root, """
                git init -q -b main
                git config user.name t
                git config user.email t@example.com
                git config commit.gpgsign false
                git add -A
                git commit -q -m "Evidence"
                """);
        assertThat(made.exitCode()).as(made.output()).isZero();
    }

    private static String key(Path root, String name) throws IOException {
        NoteSigner signer = NoteSigner.generate("example.com/" + name, new SecureRandom());
        Path keys = Files.createDirectories(root.resolve("artifacts/keys"));
        Files.writeString(keys.resolve(name + ".skey"), signer.skey());
        return signer.verifier().vkey();
    }

    private ShellBlocks.Ended shell(Path root, String commands) throws IOException, InterruptedException {
        return ShellBlocks.run(
                scratch,
                root,
                commands.replace("./attestream-data", scratch.resolve("data").toString()));
    }
}
