// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import io.attestream.objects.keys.PayloadKeysSetting;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a gateway needs around it: an issuer, a ledger with its proofs service, keys in files. */
public class Surroundings implements QuarkusTestResourceLifecycleManager {
    /** Argument: {@code down} starts the gateway while its issuer does not serve keys. */
    public static final String ISSUER = "issuer";

    /** Argument: "on" encrypts payloads of events with a subject. */
    public static final String PAYLOAD_KEYS = "payload-keys";

    private final Map<String, String> arguments = new HashMap<>();
    private @Nullable IdentityProvider issuer;
    private @Nullable TestLedger ledger;
    private @Nullable Path directory;

    @Override
    public void init(Map<String, String> initArgs) {
        arguments.putAll(initArgs);
    }

    @Override
    public Map<String, String> start() {
        try {
            Path target = Path.of("target");
            Files.createDirectories(target);
            Path made = Files.createTempDirectory(target, "surroundings");
            directory = made;
            IdentityProvider madeIssuer = new IdentityProvider();
            issuer = madeIssuer;
            if ("down".equals(arguments.remove(ISSUER))) {
                madeIssuer.answering(exchange -> IdentityProvider.send(exchange, 503, ""));
            }
            TestLedger madeLedger = new TestLedger(Files.createDirectories(made.resolve("objects")));
            ledger = madeLedger;
            byte[] tagKey = new byte[32];
            new SecureRandom().nextBytes(tagKey);
            Path tagFile = Files.writeString(
                    made.resolve("tag.key"), Base64.getEncoder().encodeToString(tagKey));
            Path secretFile = Files.writeString(made.resolve("internal.secret"), TestLedger.SECRET);
            Map<String, String> config = new HashMap<>(madeIssuer.environment());
            config.put("AUTH_POLICY", "jwks_rbac");
            config.put("attestream.kafka.bootstrap-servers", "127.0.0.1:1");
            config.put(
                    "attestream.ledger.verifier-key",
                    madeLedger.signer().verifier().vkey());
            config.put("attestream.internal.secret-file", secretFile.toString());
            // The first instance is always down: every read also tests that the next one is asked.
            config.put("attestream.proofs.urls", "http://127.0.0.1:1," + madeLedger.url());
            config.put("attestream.objects.location", madeLedger.objects().toString());
            config.put("attestream.door.content-tag-key-file", tagFile.toString());
            config.put("attestream.ingest.max-body-bytes", "200000");
            config.put("attestream.ingest.max-line-bytes", "100000");
            config.put("attestream.ingest.max-batch-events", "50");
            config.put("attestream.ingest.max-stream-in-flight-events", "4");
            config.put("attestream.ingest.body-timeout", "2s");
            config.put("attestream.admission.max-in-flight-bytes", "1000000");
            config.put("attestream.admission.max-in-flight-events", "100");
            config.put("attestream.ops.evidence-dir", made.resolve("evidence").toString());
            evidence(made.resolve("evidence"));
            if ("on".equals(arguments.remove(PAYLOAD_KEYS))) {
                config.put(
                        "attestream.payload-keys.location",
                        Files.createDirectories(made.resolve("payload-keys")).toString());
                Files.setPosixFilePermissions(tagFile, PosixFilePermissions.fromString("rw-------"));
                config.put("attestream.payload-keys.key-file", tagFile.toString());
                PayloadKeysSetting.create(made.resolve("payload-keys").toString(), tagFile);
                config.put("attestream.payload-keys.remembered-max", "1");
            }
            config.putAll(arguments);
            return config;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A drill and an fsck that passed, and a game day that did not. */
    private static void evidence(Path directory) throws IOException {
        Path drill = Files.createDirectories(directory.resolve("drills/2026-01-05T09-00-00Z"));
        Files.writeString(drill.resolve("drill_summary.json"), """
                {"v":1,"case":"kafka","mutation":"","pass":true,"endedAt":"2026-01-05T09:02:00Z",
                "rpo":{"events":0,"seconds":0},"rto":{"millis":12500}}
                """);
        Path gameDay = Files.createDirectories(directory.resolve("game-days/2026-01-06T09-00-00Z"));
        Files.writeString(gameDay.resolve("game_day_report.json"), """
                {"scenario":"broker-loss","passed":false,"endedAt":"2026-01-06T09:09:00Z","mttrSeconds":40,
                "acknowledgedEventsLost":0}
                """);
        Files.writeString(gameDay.resolve("report.md"), "# Broker loss\n");
        Path fsck = Files.createDirectories(directory.resolve("fsck/2026-01-07T09-00-00Z"));
        Files.writeString(fsck.resolve("fsck_report.json"), """
                {"v":1,"scope":"ledger","endedAt":"2026-01-07T09:00:00Z","status":"good"}
                """);
        Files.writeString(gameDay.resolve("secret.txt"), "not for the page");
    }

    @Override
    public void inject(TestInjector injector) {
        injector.injectIntoFields(issuer, new TestInjector.MatchesType(IdentityProvider.class));
        injector.injectIntoFields(ledger, new TestInjector.MatchesType(TestLedger.class));
    }

    @Override
    public void stop() {
        if (issuer != null) {
            issuer.close();
        }
        if (ledger != null) {
            ledger.close();
        }
        if (directory != null) {
            delete(directory);
        }
    }

    private static void delete(Path directory) {
        try (var files = Files.walk(directory)) {
            List<Path> all = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : all) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
