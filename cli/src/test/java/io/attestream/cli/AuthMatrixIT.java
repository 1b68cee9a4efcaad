// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.access.Start;
import io.attestream.cli.AuthMatrix.Row;
import io.attestream.proofs.note.NoteSigner;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every service as a process, under one environment after the other. All combinations with {@code -Dattestream.matrix=all}; else those in
 * which every two values meet.
 */
class AuthMatrixIT {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    /** Of which everything but access is right. */
    private final Map<String, String> settings = new HashMap<>();

    @BeforeEach
    void writeKeys() throws IOException {
        NoteSigner signer = NoteSigner.generate("ledger.test/matrix", new SecureRandom());
        Path secret = Files.writeString(
                directory.resolve("secret"), Base64.getEncoder().encodeToString(new byte[32]));
        Path key = Files.createFile(
                directory.resolve("ledger.skey"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(key, signer.skey());
        settings.putAll(Map.of(
                "ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1",
                "ATTESTREAM_LEDGER_VERIFIER_KEY", signer.verifier().vkey(),
                "ATTESTREAM_LEDGER_SIGNING_KEY_FILE", key.toString(),
                "ATTESTREAM_OBJECTS_LOCATION",
                        Files.createDirectories(directory.resolve("objects")).toString(),
                "ATTESTREAM_INTERNAL_SECRET_FILE", secret.toString(),
                "ATTESTREAM_DOOR_CONTENT_TAG_KEY_FILE", secret.toString(),
                "ATTESTREAM_STATE_DIRECTORY", directory.resolve("state").toString(),
                "ATTESTREAM_INSTANCE_ID", "matrix",
                "ATTESTREAM_PROOFS_URLS", "http://127.0.0.1:1"));
    }

    /** Held, so that who listens fails to, and says so. */
    private ServerSocket hold(String variable) throws IOException {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        settings.put(variable, Integer.toString(socket.getLocalPort()));
        return socket;
    }

    @ParameterizedTest
    @EnumSource
    void eachServiceStartsAsTheMatrixSaysOrExitsWith1NamesWhyAndNeverListens(ServiceProgram service) throws Exception {
        boolean all = "all".equals(System.getProperty("attestream.matrix"));
        List<Row> rows = all ? AuthMatrix.all() : AuthMatrix.everyTwo();
        ExecutorService two = Executors.newFixedThreadPool(2);
        try (ServerSocket own = hold("ATTESTREAM_HTTP_PORT");
                ServerSocket api = hold("QUARKUS_HTTP_PORT");
                ServerSocket management = hold("QUARKUS_MANAGEMENT_PORT")) {
            assertThat(List.of(own, api, management)).allMatch(ServerSocket::isBound);
            List<Future<Void>> results = two.invokeAll(rows.stream()
                    .map(row -> (Callable<Void>) () -> check(service, row))
                    .toList());
            for (Future<Void> result : results) {
                result.get();
            }
        } finally {
            two.shutdownNow();
        }
        System.out.println(service.word() + ": " + rows.size() + " environments");
    }

    private Void check(ServiceProgram service, Row row) throws Exception {
        Map<String, String> environment = new HashMap<>(settings);
        environment.putAll(row.environment());
        String policy = row.expected();
        if (policy.isEmpty()) {
            // What must not start is started in earnest.
            ServiceProgram.Ended ended = service.run(environment, TIMEOUT);
            assertThat(ended.exitCode()).as(row + ended.output()).isEqualTo(1);
            assertThat(ended.output())
                    .as(row.toString())
                    .contains("refusing to start")
                    .contains(row.named())
                    .doesNotContainIgnoringCase("listening")
                    .doesNotContainIgnoringCase("in use");
        } else {
            ServiceProgram.Ended ended = service.run(environment, TIMEOUT, Start.CHECK_ARGUMENT);
            assertThat(ended.exitCode()).as(row + ended.output()).isZero();
            assertThat(ended.output()).as(row.toString()).contains("access: policy " + policy + ", profile ");
        }
        return null;
    }

    @Test
    void aSigningKeyThatOthersCanReadIsRefusedTogetherWithAllThatIsWrongBeside() throws Exception {
        // given
        Path key = Path.of(settings.get("ATTESTREAM_LEDGER_SIGNING_KEY_FILE"));
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
        settings.put("AUTH_POLICY", "jwks_rbac");
        settings.put("JWT_ISSUER", "https://issuer.test");

        // when
        ServiceProgram.Ended ended = ServiceProgram.CHECKPOINTER.run(settings, TIMEOUT);

        // then
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.output())
                .contains("refusing to start, 3 reasons", "JWKS_URL", "JWT_AUDIENCE", "signing-key-file", "chmod 600")
                .doesNotContain(Files.readString(key).strip());
    }

    @Test
    void aDeploymentThatStartsAndRefusesEveryMistakePassesItsCheck() throws Exception {
        // given
        Path file = environmentFile("ENV=production");

        // when
        Script.Ended ended = deployCheck("prod", file);

        // then
        assertThat(ended.exitCode()).as(ended.out() + ended.err()).isZero();
        assertThat(ended.out()).contains("\"verdict\":\"passed\"");
        assertThat(directory.resolve("check/checklist.md"))
                .content()
                .contains("| x | checkpointer | no signing key at its place |")
                .doesNotContain("FAILED");
        assertThat(directory.resolve("check/deploy_check.json")).exists();
    }

    @Test
    void aDeploymentThatWouldStartWithoutTokensFailsItsCheck() throws Exception {
        // given staging that lets the policy of development in
        Path file = environmentFile("ENV=staging\nALLOW_INSECURE_DEV=true");

        // when
        Script.Ended ended = deployCheck("staging", file);

        // then
        assertThat(ended.exitCode()).as(ended.out() + ended.err()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(directory.resolve("check/checklist.md"))
                .content()
                .contains("| **FAILED** | gateway | AUTH_POLICY=dev | exit code 1, names AUTH_POLICY | starts |");

        // and one that is not where it says
        Script.Ended production = deployCheck("prod", file);
        assertThat(production.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(production.out()).contains("policy jwks_rbac, profile staging");
    }

    @Test
    void aCheckLooksAtAllThreeServicesAndAtFilesThatEveryLauncherReadsAlike() throws Exception {
        Path good = environmentFile("ENV=production");
        Path quoted = environmentFile("ENV=\"production\"");
        for (String argument : List.of("gateway=" + good, "checkpoiner=" + good, quoted.toString(), "/nonexistent")) {
            // when
            Script.Ended ended = Script.run(
                    directory, Duration.ofMinutes(1), "deploy", "check", "--profile", "prod", "--env-file", argument);

            // then
            assertThat(ended.exitCode()).as(ended.err()).isEqualTo(ExitCode.USAGE);
        }
    }

    private Path environmentFile(String where) throws IOException {
        StringBuilder text = new StringBuilder(
                "# of a test\n" + where
                        + "\nAUTH_POLICY=jwks_rbac\nJWKS_URL=https://issuer.test/jwks\nJWT_ISSUER=https://issuer.test\nJWT_AUDIENCE=attestream\n");
        settings.forEach(
                (name, value) -> text.append(name).append("=").append(value).append("\n"));
        return Files.writeString(Files.createTempFile(directory, "deployment", ".env"), text);
    }

    private Script.Ended deployCheck(String profile, Path file) throws Exception {
        return Script.run(
                directory,
                Duration.ofMinutes(4),
                "deploy",
                "check",
                "--profile",
                profile,
                "--env-file",
                file.toString(),
                "--dir",
                directory.resolve("check").toString(),
                "-o",
                "json");
    }
}
