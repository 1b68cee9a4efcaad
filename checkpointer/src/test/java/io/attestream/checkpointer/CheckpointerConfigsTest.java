// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteSigner;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Wrong settings are refused at start, by name, and the key is never in a message. */
class CheckpointerConfigsTest {
    @TempDir
    Path directory;

    private final NoteSigner key = NoteSigner.generate("ledger.example/c", new SecureRandom());

    @Test
    void acceptsCompleteSettings() throws Exception {
        assertThat(problems(Map.of())).isEmpty();
    }

    @Test
    void aMissingSettingIsNamed() throws Exception {
        // given
        Map<String, String> settings = settings();
        settings.remove("attestream.objects.location");

        // then
        assertThatThrownBy(() -> load(settings)).hasMessageContaining("attestream.objects.location");
    }

    @Test
    void aNumberThatIsNoneIsNamed() throws Exception {
        // given
        Map<String, String> settings = settings();
        settings.put("attestream.checkpointer.interval-millis", "soon");

        // then
        assertThatThrownBy(() -> load(settings)).hasMessageContaining("attestream.checkpointer.interval-millis");
    }

    @Test
    void valuesOutOfRangeAreNamedAllAtOnce() throws Exception {
        // when
        List<String> problems = problems(Map.of(
                "attestream.generation", "0",
                "attestream.topics.prefix", "a b",
                "attestream.http.port", "70000",
                "attestream.checkpointer.interval-millis", "1",
                "attestream.checkpointer.epoch-leaves-max", "0",
                "attestream.objects.location", directory.resolve("none").toString()));

        // then
        assertThat(problems).hasSize(6);
        assertThat(String.join("\n", problems))
                .contains(
                        "attestream.generation",
                        "attestream.topics.prefix",
                        "attestream.http.port",
                        "attestream.checkpointer.interval-millis is 1, must be from 10 to 60000",
                        "attestream.checkpointer.epoch-leaves-max",
                        "is not a directory");
    }

    @Test
    void aKeyFileOpenToOthersThanItsOwnerIsRefused() throws Exception {
        // given
        Path file = keyFile();
        for (String permissions : List.of("rw-r-----", "rw--w----", "rw----r--")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));

            // when
            List<String> problems = problems(Map.of("attestream.ledger.signing-key-file", file.toString()));

            // then
            assertThat(problems)
                    .as(permissions)
                    .singleElement()
                    .asString()
                    .contains("is open to others than its owner: chmod 600 it");
        }
    }

    @Test
    void theKeyMayComeFromTheEnvironmentInstead() throws Exception {
        // given
        Map<String, String> settings = settings();
        settings.remove("attestream.ledger.signing-key-file");
        assertThat(CheckpointerConfigs.problems(load(settings)))
                .singleElement()
                .asString()
                .contains("exactly one of");
        settings.put("attestream.ledger.signing-key", key.skey());

        // then
        assertThat(CheckpointerConfigs.problems(load(settings))).isEmpty();
    }

    @Test
    void noMessageHoldsAnyPartOfTheKey() throws Exception {
        // given
        String secret = key.skey();
        String broken = secret.substring(0, secret.length() - 4);
        Map<String, String> settings = settings();
        settings.remove("attestream.ledger.signing-key-file");
        settings.put("attestream.ledger.signing-key", broken);

        // when
        List<String> problems = CheckpointerConfigs.problems(load(settings));

        // then
        assertThat(problems).singleElement().asString().contains("is not a note signing key");
        assertThat(problems.toString()).doesNotContain(secret.substring(secret.length() - 30, secret.length() - 10));
    }

    @Test
    void theSigningKeyMustBeTheVerifierKeys() throws Exception {
        // given
        NoteSigner other = NoteSigner.generate("ledger.example/c", new SecureRandom());

        // when
        List<String> problems = problems(
                Map.of("attestream.ledger.verifier-key", other.verifier().vkey()));

        // then
        assertThat(problems).singleElement().asString().contains("attestream.ledger.verifier-key is another");
    }

    @Test
    void severalSigningKeysNeedTheChangesThatAnnounceThem() throws Exception {
        // given
        NoteSigner next = NoteSigner.generate(key.keyName(), new SecureRandom());
        NoteSigner unknown = NoteSigner.generate(key.keyName(), new SecureRandom());
        String both = keyFile() + "," + keyFile("next.key", next);
        KeyChange announced = KeyHistory.of(key.verifier()).announce(key, next);
        Path changes = Files.write(
                directory.resolve("changes.json"),
                KeyChanges.none(key.verifier()).with(announced).encode());
        String files = "attestream.ledger.signing-key-file";
        String file = "attestream.ledger.key-changes-file";

        // then
        assertThat(problems(Map.of(files, both)))
                .singleElement()
                .asString()
                .contains(next.verifier().vkey(), "attestream.ledger.verifier-key is another");
        assertThat(problems(Map.of(files, both, file, changes.toString()))).isEmpty();
        assertThat(problems(Map.of(files, keyFile("next.key", next).toString(), file, changes.toString())))
                .isEmpty();
        assertThat(problems(Map.of(files, both + "," + keyFile("other.key", unknown), file, changes.toString())))
                .singleElement()
                .asString()
                .contains("key-changes-file does not announce it");
        assertThat(problems(Map.of(files, keyFile() + "," + keyFile())))
                .singleElement()
                .asString()
                .contains("named twice");
        NoteSigner foreign = NoteSigner.generate("other.example", new SecureRandom());
        assertThat(problems(Map.of(files, keyFile() + "," + keyFile("foreign.key", foreign))))
                .singleElement()
                .asString()
                .contains("different names");
    }

    @Test
    void aFileOfKeyChangesThatDoesNotHoldIsNamed() throws Exception {
        // given
        Path file = directory.resolve("changes.json");
        Map<String, String> setting = Map.of("attestream.ledger.key-changes-file", file.toString());
        NoteSigner next = NoteSigner.generate(key.keyName(), new SecureRandom());

        // then
        assertThat(problems(setting)).singleElement().asString().contains(file.toString(), "cannot be read");
        Files.writeString(file, "{}");
        assertThat(problems(setting)).singleElement().asString().contains(file.toString(), "holds no key changes");
        KeyChange ofAnother = KeyHistory.of(next.verifier()).announce(next, key);
        Files.write(file, KeyChanges.none(key.verifier()).with(ofAnother).encode());
        assertThat(problems(setting)).singleElement().asString().contains("does not hold");
    }

    @Test
    void aHeapTooSmallForFullWindowsIsNamedBeforeTheyAre() throws Exception {
        // given
        CheckpointerConfig.Checkpointer own = load(settings()).checkpointer();
        List<Long> windows = List.of(1L << 22, 1L << 22);

        // then: two windows of 176 MiB, one more of a scrub, two backlogs and one epoch of 32 MiB, four times a pack of
        // 16 MiB
        assertThat(CheckpointerConfigs.memoryProblem(own, 16 << 20, windows, 688L << 20))
                .isEmpty();
        assertThat(CheckpointerConfigs.memoryProblem(own, 16 << 20, windows, 687L << 20))
                .hasValueSatisfying(problem ->
                        assertThat(problem).contains("2 shards and a pack grow to 688 MiB", "at most 687 MiB"));
    }

    private List<String> problems(Map<String, String> changes) throws IOException {
        Map<String, String> settings = settings();
        settings.putAll(changes);
        return CheckpointerConfigs.problems(load(settings));
    }

    private static CheckpointerConfig load(Map<String, String> settings) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().addDefaultInterceptors();
        settings.forEach(builder::withDefaultValue);
        return CheckpointerConfigs.load(builder);
    }

    private Map<String, String> settings() throws IOException {
        return new HashMap<>(Map.of(
                "attestream.kafka.bootstrap-servers", "127.0.0.1:9092",
                "attestream.ledger.verifier-key", key.verifier().vkey(),
                "attestream.ledger.signing-key-file", keyFile().toString(),
                "attestream.objects.location", directory.toString(),
                "attestream.roles", "a setting of another service"));
    }

    private Path keyFile() throws IOException {
        return keyFile("ledger.key", key);
    }

    private Path keyFile(String name, NoteSigner key) throws IOException {
        Path file = directory.resolve(name);
        if (!Files.exists(file)) {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, key.skey() + "\n");
        }
        return file;
    }
}
