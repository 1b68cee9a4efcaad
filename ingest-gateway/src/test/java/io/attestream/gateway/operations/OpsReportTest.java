// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.attestream.operations.evidence.Evidence;
import io.attestream.operations.evidence.LastRun;
import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagAge;
import io.attestream.operations.lag.LagHistory;
import io.attestream.operations.lag.LagLook;
import io.attestream.operations.lag.PartitionLag;
import io.attestream.operations.slo.Runbooks;
import io.attestream.operations.slo.Slo;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.Topics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code /ops.json} says of what its sources say, or do not say. */
class OpsReportTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path SCHEMA =
            Path.of(Objects.requireNonNull(System.getProperty("attestream.home")), "docs", "ops.schema.json");
    private static final List<Slo> OBJECTIVES = Runbooks.objectives();
    private static final Instant NOW = Instant.parse("2026-01-05T10:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final Topics TOPICS = new Topics("attestream");
    private static final StagesPart.Limits LIMITS = new StagesPart.Limits(30, 20);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private FakePrometheus prometheus;
    private Optional<ConsumerLag.Look> lag = Optional.of(lag(group("attestream.sequencer.g1", 0, 0, 10)));
    private CheckpointTrail.Trail trail = new CheckpointTrail.Trail(
            new Part("checkpoints")
                    .put("watch", Map.of("state", "verified", "sinceEpoch", 1, "size", 2))
                    .put("checkpoints", List.of()),
            List.of(new ShardHead(0, new TreeSize(10), Rfc6962.leafHash(new byte[1]), 10)),
            OptionalDouble.of(1));
    private Optional<Evidence> evidence = Optional.of(new Evidence(
            Stream.of(LastRun.Kind.values()).map(kind -> run(kind, true)).toList(), List.of()));

    @BeforeEach
    void start() throws IOException {
        prometheus = new FakePrometheus();
    }

    @AfterEach
    void stop() {
        prometheus.close();
    }

    private static LastRun run(LastRun.Kind kind, boolean passed) {
        return new LastRun(
                kind,
                "kafka",
                "2026-01-05T09-00-00Z",
                Instant.parse("2026-01-05T09:00:00Z"),
                passed,
                OptionalDouble.of(12.5),
                OptionalLong.of(0));
    }

    private static GroupLag group(String name, long records, double seconds, long end) {
        return group(name, records, end, new LagAge.Known(seconds));
    }

    private static GroupLag group(String name, long records, long end, LagAge age) {
        return new GroupLag(
                name,
                "Stable",
                1,
                List.of(new PartitionLag("attestream.events", 0, end - records, end, records, 0, age)));
    }

    private static GroupLag withMembers(int members, GroupLag group) {
        return new GroupLag(group.group(), members == 0 ? "Empty" : "Stable", members, group.partitions());
    }

    private static ConsumerLag.Look lag(GroupLag... groups) {
        LagLook all = new LagLook(List.of(groups), 0);
        return ConsumerLag.Look.of(NOW, all, new LagHistory(), TOPICS);
    }

    /** Prometheus of a ledger at which nothing is wrong. */
    private FakePrometheus allIsWell() {
        lag = Optional.of(lag(group("attestream.sequencer.g1", 0, 0, 10), group("attestream.proofs.g1", 0, 0, 10)));
        for (Slo slo : OBJECTIVES) {
            if (!(slo.indicator() instanceof Slo.Indicator.Never)) {
                withBudget(slo.name(), "0.2", "0.9");
            }
        }
        return prometheus
                .with("attestream_sequencer_size", "10", "shard", "0", "instance", "a")
                .with("attestream_sequencer_size", "8", "shard", "0", "instance", "standby")
                .with("attestream_checkpointer_shard_verified_size", "9", "shard", "0")
                .with("attestream_checkpointer_oldest_unpublished_age_seconds", "0.5")
                .with("attestream_checkpointer_unpacked_leaves", "7")
                .with("attestream_checkpointer_snapshot_age_seconds", "3600")
                .with("attestream_checkpointer_scrub_age_seconds", "60", "part", "objects", "instance", "c")
                .with("attestream_checkpointer_scrub_found", "0", "part", "objects", "instance", "c")
                .with("attestream_monitor_verified_epochs", "44")
                .with("attestream_monitor_checkpoint_age_seconds", "2")
                .withRule("AttestreamProcessDown", "ok");
    }

    private void withBudget(String slo, String burn, String left) {
        prometheus
                .with("slo:current_burn_rate:ratio", burn, "slo", slo)
                .with("slo:period_error_budget_remaining:ratio", left, "slo", slo);
    }

    private JsonNode report() throws Exception {
        return report(prometheus.url(), PATIENCE);
    }

    /** As it is served, held against the schema. */
    private JsonNode report(URI url, Duration timeout) throws Exception {
        PrometheusLook look = new PrometheusClient(url, timeout).look(OBJECTIVES);
        List<Part> parts = List.of(
                SloPart.of(OBJECTIVES, look),
                AlertsPart.of(look),
                StagesPart.of(TOPICS, LIMITS, look, lag, trail),
                LagPart.of(lag, 30, "attestream"),
                trail.part(),
                EvidencePart.of(evidence, look, CLOCK),
                GatewayPart.of(true, "open", new SimpleMeterRegistry()));
        String json = JSON.writeValueAsString(
                new OpsReport(NOW, "ledger.test/one", parts, 0, Duration.ofSeconds(30)).json(1_500_000_000L));
        assertThat(JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                        .getSchema(Files.readString(SCHEMA))
                        .validate(json, InputFormat.JSON))
                .isEmpty();
        return JSON.readTree(json);
    }

    private static JsonNode named(JsonNode list, String member, String name) {
        return StreamSupport.stream(list.spliterator(), false)
                .filter(each -> each.path(member).asText().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String verdict(JsonNode report) {
        return report.at("/verdict/state").asText();
    }

    @Test
    void itIsGoodOnlyIfEveryPartIsKnownAndGood() throws Exception {
        // given
        allIsWell();

        // when
        JsonNode report = report();

        // then
        assertThat(report.at("/verdict/reasons")).as(report.toPrettyString()).isEmpty();
        assertThat(verdict(report)).isEqualTo("good");
        assertThat(report.path("ageSeconds").asDouble()).isEqualTo(1.5);
        JsonNode canary = named(report.at("/slos/objectives"), "name", "canary");
        assertThat(canary.path("burnRate").asDouble()).isEqualTo(0.2);
        assertThat(canary.path("budgetRemaining").asDouble()).isEqualTo(0.9);
        JsonNode sequenced = named(report.at("/stages/stages"), "stage", "sequenced");
        assertThat(sequenced.path("count").asInt()).as("not the standby's").isEqualTo(10);
        assertThat(named(report.at("/stages/stages"), "stage", "verified")
                        .path("waiting")
                        .asInt())
                .isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "<html>login</html>",
                "[]",
                "{\"status\":\"error\",\"data\":{}}",
                "{\"status\":\"success\",\"data\":{}}"
            })
    void aWrongAnswerOfPrometheusIsUnknownAndTheRestIsStillThere(String body) throws Exception {
        // given
        prometheus.answering(200, body);

        // when
        JsonNode report = report();

        // then
        assertUnknownBecause(report, "not understood");
    }

    @ParameterizedTest
    @CsvSource({"503,status 503", "302,status 302", "404,status 404"})
    void anErrorOfPrometheusIsUnknown(int status, String reason) throws Exception {
        // given
        prometheus.answering(status, "{\"status\":\"success\"}");

        // then
        assertUnknownBecause(report(), reason);
    }

    @Test
    void aPrometheusThatDoesNotAnswerInTimeIsUnknown() throws Exception {
        // given
        prometheus.stalling();

        // then
        assertUnknownBecause(report(prometheus.url(), Duration.ofMillis(500)), "did not answer within 500 ms");
    }

    @Test
    void aPrometheusThatAnswersTooMuchIsUnknown() throws Exception {
        // given
        prometheus.answering(200, "x".repeat(PrometheusClient.MAX_ANSWER_BYTES + 1));

        // then
        assertUnknownBecause(report(), "longer than");
    }

    @Test
    void aPrometheusThatIsNotThereIsUnknown() throws Exception {
        assertUnknownBecause(report(URI.create("http://127.0.0.1:1"), PATIENCE), "does not answer");
    }

    private static void assertUnknownBecause(JsonNode report, String reason) {
        assertThat(verdict(report)).isEqualTo("unknown");
        for (String part : List.of("slos", "alerts", "stages")) {
            assertThat(report.path(part).path("state").asText()).as(part).isEqualTo("unknown");
            assertThat(report.path(part).path("findings").toString()).as(part).contains(reason);
        }
        assertThat(report.at("/slos/objectives")).hasSameSizeAs(OBJECTIVES).allSatisfy(tile -> {
            assertThat(tile.path("state").asText()).isEqualTo("unknown");
            assertThat(tile.path("burnRate").asText("unknown")).isEqualTo("unknown");
        });
        assertThat(report.at("/lag/groups")).hasSize(1);
        assertThat(report.at("/lag/state").asText()).isEqualTo("good");
        assertThat(report.at("/evidence/runs")).hasSameSizeAs(LastRun.Kind.values());
        JsonNode published = named(report.at("/stages/stages"), "stage", "published");
        assertThat(published.path("count").asInt()).isEqualTo(10);
        assertThat(published.path("waiting").asInt(-1)).isZero();
        assertThat(published.path("ageSeconds").asInt(-1)).as("nothing waits").isZero();
    }

    @Test
    void aPrometheusWithoutRulesIsNoGoodNews() throws Exception {
        // given an empty one
        JsonNode report = report();

        // then
        assertThat(report.at("/alerts/findings").toString()).contains("has no alerting rules");
        assertThat(report.at("/slos/findings").toString())
                .contains("no traffic")
                .contains("canary");
        assertThat(verdict(report)).isEqualTo("unknown");
    }

    @Test
    void aRuleThatCannotBeEvaluatedIsNoGoodNews() throws Exception {
        // given
        allIsWell().withRule("SLOErrorRateCritical", "err");

        // then
        assertThat(report().at("/alerts/findings").toString())
                .contains("rule SLOErrorRateCritical does not work: broke");
        assertThat(verdict(report())).isEqualTo("unknown");
    }

    @Test
    void aValueThatIsNoNumberIsUnknown() throws Exception {
        // given
        withBudget("canary", "NaN", "+Inf");

        // then
        JsonNode canary = named(report().at("/slos/objectives"), "name", "canary");
        assertThat(canary.path("burnRate").asText()).isEqualTo("unknown");
        assertThat(canary.path("budgetRemaining").asText()).isEqualTo("unknown");
        assertThat(canary.path("state").asText()).isEqualTo("unknown");
    }

    @Test
    void aBudgetThatBurnsOrIsSpentNeedsAttention() throws Exception {
        // given
        withBudget("canary", "3", "0.5");
        withBudget("proof-latency", "0", "-0.1");
        prometheus.withOccurrences("1.02");

        // when
        JsonNode report = report();

        // then
        assertThat(verdict(report)).isEqualTo("attention");
        assertThat(report.at("/slos/findings").toString())
                .contains("burns 3.0 times as fast")
                .contains("the budget of 30 days is spent")
                .contains("what must never happen did");
        assertThat(named(report.at("/slos/objectives"), "name", "integrity")
                        .path("occurrences")
                        .asDouble())
                .isEqualTo(1.02);
    }

    @Test
    void anAlertThatPagesIsCriticalForItsObjectiveTooAndPendingOnesOnlyAreShown() throws Exception {
        // given
        allIsWell()
                .withRule(
                        "SLOErrorBudgetBurnCritical",
                        "ok",
                        FakePrometheus.alert(
                                "firing",
                                Map.of(
                                        "alertname",
                                        "SLOErrorBudgetBurnCritical",
                                        "severity",
                                        "page",
                                        "service",
                                        "attestream",
                                        "slo",
                                        "canary"),
                                Map.of(
                                        "summary",
                                        "it burns",
                                        "runbook_url",
                                        "https://example.org/runbooks/SLOErrorBudgetBurnCritical.md")),
                        FakePrometheus.alert("pending", Map.of("alertname", "P", "severity", "page"), Map.of()));

        // when
        JsonNode report = report();

        // then
        assertThat(verdict(report)).isEqualTo("critical");
        assertThat(report.at("/verdict/reasons"))
                .singleElement()
                .satisfies(reason ->
                        assertThat(reason.path("text").asText()).isEqualTo("SLOErrorBudgetBurnCritical: it burns"));
        assertThat(named(report.at("/slos/objectives"), "name", "canary")
                        .path("state")
                        .asText())
                .isEqualTo("critical");
        JsonNode alert = report.at("/alerts/alerts/0");
        assertThat(alert.path("runbook").asText())
                .as("our own copy")
                .isEqualTo("/ops/runbooks/SLOErrorBudgetBurnCritical.md");
        assertThat(alert.path("labels").properties()).containsExactly(entry("slo", JSON.valueToTree("canary")));
        assertThat(report.at("/alerts/alerts/1/state").asText()).isEqualTo("pending");
    }

    @Test
    void whatOthersWroteIsTextOfBoundedLengthAndNoLinkRunsScripts() throws Exception {
        // given
        String hostile = "<img src=x onerror=alert(1)>\"'&\u202e" + "x".repeat(10_000);
        prometheus.withRule(
                hostile,
                "ok",
                FakePrometheus.alert(
                        "firing",
                        Map.of("alertname", hostile, "severity", "<script>", hostile, hostile),
                        Map.of("summary", hostile, "runbook_url", "javascript:alert(1)//.md")));
        lag = Optional.of(lag(group(hostile, 3, 1e6, 10), group("attestream.sequencer.g1", 0, 0, 10)));

        // when
        JsonNode report = report();

        // then
        assertThat(report.toString().length()).isLessThan(30_000);
        assertThat(report.at("/alerts/alerts/0/name").asText()).startsWith("<img src=x onerror=alert(1)>");
        assertThat(report.at("/alerts/alerts/0").has("runbook")).isFalse();
        assertThat(report.at("/lag/groups/0/group").asText()).startsWith("<img");
        assertThat(report.at("/lag/state").asText())
                .as("a group of others makes no verdict")
                .isEqualTo("good");
    }

    @Test
    void aGroupOfTheLedgerThatIsBehindOrNotKnownIsSeen() throws Exception {
        // given
        lag = Optional.of(lag(
                group("attestream.sequencer.g1", 0, 10, new LagAge.Unknown("the record cannot be read")),
                group("attestream.proofs.g1", 500, 45, 1_000),
                group("attestream.proofs.g0", 0, 0, 10)));

        // when
        JsonNode report = report();

        // then
        assertThat(report.at("/lag/state").asText()).isEqualTo("attention");
        assertThat(report.at("/lag/findings").toString())
                .contains("attestream.proofs.g1 is 45 s behind")
                .contains("the record cannot be read");
        assertThat(report.at("/lag/groups/0/seconds").asText()).as("first").isEqualTo("unknown");
        assertThat(report.at("/lag/groups/0/worst").asText()).isEqualTo("attestream.events-0");
        JsonNode proofs = named(report.at("/stages/stages"), "stage", "proofs");
        assertThat(proofs.path("ageSeconds").asDouble()).isEqualTo(45);
        assertThat(proofs.path("state").asText()).isEqualTo("attention");
        assertThat(named(report.at("/stages/stages"), "stage", "sequenced")
                        .path("state")
                        .asText())
                .isEqualTo("unknown");
    }

    @Test
    void whatCouldNotBeReadIsUnknownAndWhoHasNoOffsetsIsNot() throws Exception {
        // given: checkpointers that stand by settle in a group who works
        allIsWell();
        lag = Optional.of(lag(
                group("attestream.sequencer.g1", 0, 0, 10),
                group("attestream.proofs.g1", 0, 0, 10),
                new GroupLag("attestream.checkpointer", "Stable", 2, List.of())));

        // then
        JsonNode report = report();
        assertThat(verdict(report)).isEqualTo("good");
        assertThat(report.at("/lag/groups/2/group").asText()).isEqualTo("attestream.checkpointer");
        assertThat(report.at("/lag/groups/2/seconds").asText()).isEqualTo("unknown");

        // and when nobody can say what a group has committed, or where a partition ends
        lag = Optional.of(lag(
                new GroupLag(
                        "attestream.sequencer.g1",
                        "Unknown",
                        GroupLag.NOT_KNOWN,
                        List.of(),
                        Optional.of("no coordinator")),
                new GroupLag(
                        "attestream.proofs.g1",
                        "Stable",
                        1,
                        List.of(new PartitionLag(
                                "attestream.sealed", 0, 5, -1, -1, 0, new LagAge.Unknown("no leader"))))));
        report = report();
        assertThat(verdict(report)).isEqualTo("unknown");
        assertThat(report.at("/lag/findings").toString())
                .contains("group attestream.sequencer.g1 is behind is not known: no coordinator")
                .contains("group attestream.proofs.g1 is behind is not known: no leader");
        assertThat(report.at("/lag/groups/1/records").asText()).isEqualTo("unknown");
        assertThat(report.at("/lag/groups").findValuesAsText("members")).containsExactlyInAnyOrder("unknown", "1");
    }

    /** Their offsets stay for days. */
    @Test
    void groupsThatARestoreLeftBehindAreShownLastAndMakeNothingBad() throws Exception {
        // given
        allIsWell();
        lag = Optional.of(lag(
                withMembers(0, group("attestream.sequencer.g1", 500, 90_000, 510)),
                withMembers(0, group("attestream.proofs.g1", 0, 500, new LagAge.Unknown("the topic was made again"))),
                withMembers(0, group("attestream.sequencer.g2.restoring", 510, 90_000, 510)),
                group("attestream.sequencer.g2", 0, 0, 10),
                group("attestream.proofs.g2", 0, 0, 10)));

        // when
        JsonNode report = report();

        // then
        assertThat(report.at("/lag/findings")).isEmpty();
        assertThat(verdict(report)).isEqualTo("good");
        assertThat(report.at("/lag/groups/0/group").asText()).isEqualTo("attestream.proofs.g2");
        assertThat(named(report.at("/lag/groups"), "group", "attestream.sequencer.g1")
                        .path("otherGeneration")
                        .asBoolean())
                .isTrue();
        assertThat(lag.orElseThrow().counted().groups())
                .extracting(GroupLag::group)
                .containsExactly("attestream.sequencer.g2", "attestream.proofs.g2");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, attestream.sequencer.g10",
        "0, 2, attestream.sequencer.g10",
        "2, 0, attestream.sequencer.g9",
        "1, 1, attestream.sequencer.g10"
    })
    void theGenerationThatCountsIsTheNewestThatRuns(int members9, int members10, String counts) {
        // given
        ConsumerLag.Look look = lag(
                withMembers(members10, group("attestream.sequencer.g10", 5, 5, 10)),
                withMembers(members9, group("attestream.sequencer.g9", 5, 5, 10)),
                group("attestream.proofs.g1", 5, 5, 10),
                group("attestream.admission", 5, 5, 10),
                group("others.sequencer.g1", 5, 5, 10));

        // then: the others are no matter of generations, and one kind does not wait for the other
        assertThat(look.counted().groups())
                .extracting(GroupLag::group)
                .containsExactly(counts, "attestream.proofs.g1", "attestream.admission", "others.sequencer.g1");
        assertThat(look.generations().sequencer().orElseThrow().group()).isEqualTo(counts);
    }

    @Test
    void brokersThatDoNotAnswerAreUnknown() throws Exception {
        // given
        allIsWell();
        lag = Optional.empty();

        // then
        JsonNode report = report();
        assertThat(report.at("/lag/findings").toString()).contains("brokers do not answer");
        assertThat(verdict(report)).isEqualTo("unknown");
    }

    @Test
    void recordsThatWaitForPublicationAreCountedWithoutPrometheus() throws Exception {
        // given
        lag = Optional.of(lag(group("attestream.sequencer.g1", 0, 0, 25)));
        prometheus.answering(503, "");

        // then
        JsonNode published = named(report().at("/stages/stages"), "stage", "published");
        assertThat(published.path("waiting").asInt()).isEqualTo(15);
        assertThat(published.path("ageSeconds").asText()).isEqualTo("unknown");
    }

    @Test
    void aFailedDrillNeedsAttentionAndNoneIsUnknown() throws Exception {
        // given
        allIsWell();
        evidence = Optional.of(new Evidence(List.of(run(LastRun.Kind.DRILL, false)), List.of()));

        // then
        JsonNode report = report();
        assertThat(verdict(report)).isEqualTo("attention");
        assertThat(report.at("/evidence/findings").toString())
                .contains("the last drill kafka failed")
                .contains("no game day was recorded")
                .contains("no fsck was recorded");

        // and
        evidence = Optional.empty();
        assertThat(verdict(report())).isEqualTo("unknown");
        assertThat(report().at("/evidence/findings").toString()).contains("attestream.ops.evidence-dir is not set");
    }

    @Test
    void whatAScrubFoundIsCritical() throws Exception {
        // given
        allIsWell()
                .with("attestream_processors_scrub_age_seconds", "5", "part", "state", "instance", "p")
                .with("attestream_processors_scrub_found", "2", "part", "state", "instance", "p");

        // then
        JsonNode report = report();
        assertThat(verdict(report)).isEqualTo("critical");
        assertThat(report.at("/evidence/scrubs")).hasSize(2);
    }

    @Test
    void theWorstReasonsComeFirstWhateverPartTheyAreOf() {
        // given
        Part first = new Part("slos").found(State.ATTENTION, "a").found(State.CRITICAL, "b");
        Part second = new Part("lag").found(State.UNKNOWN, "c").found(State.CRITICAL, "d");

        // when
        JsonNode verdict = JSON.valueToTree(new OpsReport(NOW, "o", List.of(first, second), 0, Duration.ofSeconds(30))
                .json(0)
                .get("verdict"));

        // then
        assertThat(verdict.path("reasons"))
                .extracting(reason -> reason.path("text").asText())
                .containsExactly("b", "d", "a", "c");
        assertThat(verdict.path("state").asText()).isEqualTo("critical");
    }

    @Test
    void whatWasGoodAWhileAgoIsNotKnownNow() {
        // given
        OpsReport report = new OpsReport(NOW, "o", List.of(new Part("gateway")), 0, Duration.ofSeconds(30));

        // then
        assertThat(report.json(30_000_000_000L).get("verdict").toString()).contains("state=good");
        assertThat(report.json(31_000_000_000L).get("verdict").toString())
                .contains("state=unknown")
                .contains("31 s old");
    }
}
