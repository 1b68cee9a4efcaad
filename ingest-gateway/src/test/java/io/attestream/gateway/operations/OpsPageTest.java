// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.attestream.gateway.config.Secrets;
import io.attestream.gateway.read.Epoch;
import io.attestream.gateway.read.ProofsClient;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.Surroundings;
import io.attestream.gateway.support.TestLedger;
import io.attestream.operations.slo.Runbooks;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is served on the management port without Prometheus and brokers, and checkpoints that are really verified. */
@QuarkusTest
@WithTestResource(
        value = Surroundings.class,
        initArgs = @ResourceArg(name = "attestream.ops.interval", value = "1s")) // Also: a ledger of its own.
class OpsPageTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Path SCHEMA =
            Path.of(Objects.requireNonNull(System.getProperty("attestream.home")), "docs", "ops.schema.json");

    TestLedger truth;

    @Inject
    ProofsClient proofs;

    @Inject
    Secrets secrets;

    private CheckpointTrail trail;
    private long newest;
    private Instant now = Instant.EPOCH;

    /** Each test has epochs of its own: proofs clients remember what they read. */
    @BeforeEach
    void publish() throws Exception {
        for (int i = 0; i < 3; i++) {
            truth.event(0, 1_000_000 + truth.size(0), TestLedger.OWN_TENANT, "ops" + truth.size(0), "payload");
            truth.publish();
        }
        newest = proofs.latestEpoch().orElseThrow().number();
        now = Instant.now();
        trail = new CheckpointTrail(proofs, now -> KeyHistory.of(secrets.ledgerKey()), new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now;
            }
        });
    }

    @AfterEach
    void tellTheTruth() {
        truth.override("ledger/epochs/latest", null);
        truth.setDown(false);
    }

    private JsonNode look() {
        return JSON.valueToTree(trail.look().part().json());
    }

    /** What the ledger would say of an epoch after the newest, altered. */
    private void sayNewest(JsonNode epoch) {
        truth.override("ledger/epochs/latest", epoch.toString());
    }

    private ObjectNode epoch(long number) throws Exception {
        Epoch epoch = proofs.epoch(number).orElseThrow();
        ObjectNode json = JSON.createObjectNode();
        json.put("epoch", epoch.number()).put("epochLeaf", Base64.getEncoder().encodeToString(epoch.leaf()));
        epoch.heads().forEach(json.putArray("heads")::add);
        return json.put("note", epoch.note()).put("segment", epoch.segment()).put("payloads", epoch.payloads());
    }

    @Test
    void checkpointsThatVerifySaySo() {
        // when
        JsonNode part = look();

        // then
        assertThat(part.path("findings")).isEmpty();
        assertThat(part.path("checkpoints").path(0).path("epoch").asLong()).isEqualTo(newest);
        assertThat(part.path("checkpoints")).hasSizeGreaterThan(2).allSatisfy(row -> {
            assertThat(row.path("signature").asText()).isEqualTo("verified");
            assertThat(row.path("contents").asText()).isEqualTo("verified");
            assertThat(row.path("consistency").asText()).isEqualTo("verified");
        });
        assertThat(part.at("/watch/state").asText()).isEqualTo("verified");
    }

    @Test
    void aCheckpointOfAnotherKeyIsSeen() throws Exception {
        // given
        ObjectNode forged = epoch(newest);
        NoteSigner other = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        String text = SignedNote.parse(forged.path("note").asText()).text();
        sayNewest(forged.put("note", SignedNote.sign(text, other).encode()));

        // then
        JsonNode part = look();
        assertThat(part.path("state").asText()).isEqualTo("critical");
        assertThat(part.at("/checkpoints/0/signature").asText()).isEqualTo("failed");
        assertThat(part.path("findings").toString()).contains("signature does not verify");
    }

    @Test
    void anEpochThatIsNotInTheSignedTreeIsSeen() throws Exception {
        // given the heads of another epoch
        ObjectNode altered = epoch(newest);
        altered.set("heads", epoch(newest - 1).path("heads"));
        sayNewest(altered);

        // then
        JsonNode part = look();
        assertThat(part.path("state").asText()).isEqualTo("critical");
        assertThat(part.at("/checkpoints/0/signature").asText()).isEqualTo("verified");
        assertThat(part.at("/checkpoints/0/contents").asText()).isEqualTo("failed");
    }

    @Test
    void aTreeThatDoesNotExtendTheOneBeforeIsSeenAndStaysSeen() throws Exception {
        // given
        look();
        truth.event(0, 1_000_000 + truth.size(0), TestLedger.OWN_TENANT, "ops" + truth.size(0), "payload");
        truth.publish();
        String path = "ledger/consistency?first=" + (newest + 1) + "&second=" + (newest + 2);
        truth.override(path, "{\"path\":[\"" + "A".repeat(43) + "=\"]}");

        // when
        JsonNode part = look();
        truth.override(path, null);

        // then
        assertThat(part.path("state").asText()).isEqualTo("critical");
        assertThat(part.at("/checkpoints/0/consistency").asText()).isEqualTo("failed");
        assertThat(part.at("/watch/state").asText()).isEqualTo("failed");
        assertThat(look().at("/watch/state").asText()).as("for ever").isEqualTo("failed");
        assertThat(look().path("state").asText()).isEqualTo("critical");
    }

    /** A proofs instance may be behind for a moment; a ledger that was rolled back stays so. */
    @Test
    void aNewestCheckpointThatIsSmallerThanOneSeenIsNotCalledGoodAndIsBadWhenItLasts() throws Exception {
        // given
        assertThat(look().at("/watch/state").asText()).isEqualTo("verified");
        sayNewest(epoch(newest - 1));

        // then
        assertThat(look().at("/watch/state").asText()).isEqualTo("unknown");
        now = now.plus(CheckpointTrail.SMALLER_MAX).plusSeconds(1);
        JsonNode part = look();
        assertThat(part.at("/watch/state").asText()).isEqualTo("failed");
        assertThat(part.path("state").asText()).isEqualTo("critical");
        assertThat(part.path("findings").toString()).contains("smaller than the one of size");

        // and when the instance was behind, after all
        truth.override("ledger/epochs/latest", null);
        assertThat(look().at("/watch/state").asText()).isEqualTo("verified");
    }

    @Test
    void whatWasVerifiedAgainstAnotherCheckpointIsVerifiedAgain() throws Exception {
        // given the newest is verified against the one before, and that changes
        look();
        ObjectNode forged = epoch(newest - 1);
        NoteSigner other = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        String text = SignedNote.parse(forged.path("note").asText()).text();
        sayNewest(forged.put("note", SignedNote.sign(text, other).encode()));
        look();

        // when
        truth.override("ledger/epochs/latest", null);
        JsonNode part = look();

        // then
        assertThat(part.path("checkpoints").path(0).path("epoch").asLong()).isEqualTo(newest);
        assertThat(part.at("/checkpoints/0/consistency").asText()).isEqualTo("unknown");
    }

    @Test
    void proofsThatDoNotAnswerAreUnknown() {
        // given
        truth.setDown(true);

        // then
        JsonNode part = look();
        assertThat(part.path("state").asText()).isEqualTo("unknown");
        assertThat(part.path("checkpoints")).isEmpty();
    }

    @Test
    void theTwinIsOfItsSchemaAndDoesNotCallGoodWhatIsNotKnown() throws Exception {
        // when
        await().atMost(SOON)
                .until(() -> Gateway.management("/ops.json")
                                .json()
                                .at("/checkpoints/checkpoints/0/epoch")
                                .asLong(-1)
                        >= newest);
        Answer answer = Gateway.management("/ops.json");

        // then
        assertThat(JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                        .getSchema(Files.readString(SCHEMA))
                        .validate(answer.text(), InputFormat.JSON))
                .isEmpty();
        assertThat(answer.header("Content-Type")).isEqualTo("application/json");
        assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
        JsonNode report = answer.json();
        assertThat(report.path("ledger").asText()).isEqualTo(TestLedger.ORIGIN);
        assertThat(report.at("/slos/findings").toString()).contains("attestream.ops.prometheus-url is not set");
        assertThat(report.at("/lag/findings").toString()).contains("the brokers do not answer");
        assertThat(report.at("/gateway/state").asText()).isEqualTo("good");
        assertThat(report.at("/gateway/events").has("accepted")).isTrue();
        assertThat(report.at("/evidence/findings").toString()).contains("the last game day broker-loss failed");
        assertThat(report.at("/verdict/state").asText()).isEqualTo("attention");
        assertThat(Gateway.management("/q/metrics").text())
                .contains("attestream_drill_passed{case=\"kafka\"} 1.0")
                .contains("attestream_game_day_passed{scenario=\"broker-loss\"} 0.0")
                .contains("attestream_fsck_passed{scope=\"ledger\"} 1.0")
                .contains("attestream_drill_age_seconds{case=\"kafka\"}");
    }

    @Test
    void everythingOfThePageIsServedHereUnderAPolicyThatAllowsNothingElse() {
        for (String path : new String[] {"/ops", "/ops/page.css", "/ops/page.js", "/ops/icon.svg", "/ops.json"}) {
            Answer answer = Gateway.management(path);
            assertThat(answer.status()).as(path).isEqualTo(200);
            assertThat(answer.header("Content-Security-Policy"))
                    .startsWith("default-src 'none'; script-src 'self'; style-src 'self';")
                    .doesNotContain("unsafe");
            assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
        }
        assertThat(Gateway.management("/ops").text())
                .doesNotContain("http:")
                .doesNotContain("https:")
                .doesNotContain(" style=")
                .doesNotContainPattern("(?i)\\son[a-z]+=")
                .doesNotContainPattern("<script>|<style>");
        assertThat(Gateway.management("/ops/page.js").text())
                .as("no way from text to markup")
                .doesNotContain("innerHTML")
                .doesNotContain("outerHTML")
                .doesNotContain("insertAdjacent")
                .doesNotContain("document.write")
                .doesNotContain("DOMParser")
                .doesNotContain("eval(");
        assertThat(Gateway.get("/ops", "").status())
                .as("not on the public port")
                .isEqualTo(404);
    }

    @Test
    void runbooksAndEvidenceAreReadHere() {
        assertThat(Runbooks.names()).isNotEmpty().allSatisfy(name -> {
            Answer answer = Gateway.management("/ops/runbooks/" + name + ".md");
            assertThat(answer.text()).contains("\n# ");
            assertThat(answer.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        });
        await().atMost(SOON)
                .until(() -> Gateway.management("/ops/evidence/drills/2026-01-05T09-00-00Z/drill_summary.json")
                                .status()
                        == 200);
        assertThat(Gateway.management("/ops/evidence/game-days/2026-01-06T09-00-00Z/report.md")
                        .text())
                .isEqualTo("# Broker loss\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/ops/evidence/game-days/2026-01-06T09-00-00Z/secret.txt",
                "/ops/evidence/drills/2026-01-06T09-00-00Z/game_day_report.json",
                "/ops/evidence/game-days/..%2Fgame-days%2F2026-01-06T09-00-00Z/report.md",
                "/ops/evidence/game-days/2026-01-06T09-00-00Z/..%2F..%2F..%2Finternal.secret",
                "/ops/runbooks/..%2Fapplication.properties",
                "/ops/runbooks/index",
                "/ops/runbooks/nothing.md"
            })
    void nothingElseIsRead(String path) {
        Answer answer = Gateway.management(path);
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.text()).doesNotContain(TestLedger.SECRET).doesNotContain("not for the page");
    }
}
