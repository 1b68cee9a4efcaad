// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.attestream.chaos.monitoring.LocalAlertmanager;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is woken by what, by a real Alertmanager. */
@Tag("ops")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class AlertmanagerIT {
    private static final Duration SOON = Duration.ofSeconds(40);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    private Path scratch;

    /** What was sent to the pager and to the tracker. */
    private final List<JsonNode> pages = new CopyOnWriteArrayList<>();

    private final List<JsonNode> tickets = new CopyOnWriteArrayList<>();
    private HttpServer receivers;
    private LocalAlertmanager alertmanager;

    @BeforeEach
    void start() throws Exception {
        receivers = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        receive("/page", pages);
        receive("/ticket", tickets);
        receivers.start();
        String own = "http://127.0.0.1:" + receivers.getAddress().getPort();
        alertmanager = LocalAlertmanager.start(
                scratch,
                Map.of("pager", URI.create(own + "/page"), "tickets", URI.create(own + "/ticket")),
                // Waits for what begins together, here not for long.
                Optional.of(Duration.ofSeconds(2)));
    }

    @AfterEach
    void stop() {
        if (alertmanager != null) {
            alertmanager.close();
        }
        receivers.stop(0);
    }

    private void receive(String path, List<JsonNode> to) {
        receivers.createContext(path, exchange -> {
            try (exchange) {
                to.add(JSON.readTree(exchange.getRequestBody()));
                exchange.sendResponseHeaders(200, -1);
            }
        });
    }

    private static int send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return HTTP.send(request.timeout(Duration.ofSeconds(10)).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private static Map<String, Object> alert(String name, String severity, String... more) {
        Map<String, String> labels =
                new java.util.TreeMap<>(Map.of("alertname", name, "severity", severity, "service", "attestream"));
        for (int i = 0; i < more.length; i += 2) {
            labels.put(more[i], more[i + 1]);
        }
        return Map.of("labels", labels);
    }

    @SafeVarargs
    private void fire(Map<String, Object>... alerts) throws Exception {
        assertThat(send(HttpRequest.newBuilder(alertmanager.url().resolve("/api/v2/alerts"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(alerts)))))
                .isEqualTo(200);
    }

    private static List<String> names(List<JsonNode> messages) {
        List<String> names = new ArrayList<>();
        messages.forEach(message -> message.path("alerts")
                .forEach(alert -> names.add(alert.at("/labels/alertname").asText())));
        return names;
    }

    private static List<String> slos(List<JsonNode> messages) {
        List<String> slos = new ArrayList<>();
        messages.forEach(message -> message.path("alerts")
                .forEach(alert -> slos.add(alert.at("/labels/slo").asText())));
        slos.removeIf(String::isEmpty);
        return slos;
    }

    @Test
    void aStageThatIsGonePagesOnceWhateverFollowsFromIt() throws Exception {
        // when
        fire(
                alert("AttestreamStageDown", "page", "job", "attestream-gateway"),
                alert("AttestreamProcessDown", "page", "job", "attestream-gateway"),
                alert("SLOErrorRateCritical", "page"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "ingest-availability", "burn", "fast"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "canary", "burn", "fast"),
                alert("SLOErrorBudgetBurnWarning", "ticket", "slo", "canary", "burn", "fast"));

        // then
        await().atMost(SOON).untilAsserted(() -> assertThat(pages).isNotEmpty());
        assertThat(names(pages)).containsExactly("AttestreamStageDown");
        assertThat(tickets).isEmpty();
    }

    /** While one of two gateways is gone for long, a promise that is broken for another reason wakes somebody all the same. */
    @Test
    void oneOfSeveralThatIsGoneHidesNothing() throws Exception {
        // given
        fire(alert("AttestreamProcessDown", "page", "job", "attestream-gateway"));
        await().atMost(SOON).untilAsserted(() -> assertThat(pages).isNotEmpty());

        // when
        fire(
                alert("AttestreamStorageDamaged", "page", "part", "stores"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "publication-freshness", "burn", "fast"),
                alert("AttestreamScrubStale", "ticket", "part", "kafka"));

        // then: soon, not only with the next message of the group
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(names(pages))
                        .containsExactlyInAnyOrder(
                                "AttestreamProcessDown", "AttestreamStorageDamaged", "SLOErrorBudgetBurnCritical"));
        await().atMost(SOON).untilAsserted(() -> assertThat(names(tickets)).containsExactly("AttestreamScrubStale"));
    }

    /** A dead monitor refuses no event, and a dead checkpointer neither. */
    @ParameterizedTest
    @ValueSource(strings = {"attestream-monitor", "attestream-checkpointer", "attestream-processors"})
    void aStageThatIsGoneDoesNotHideWhatItCannotCause(String job) throws Exception {
        // when
        fire(
                alert("AttestreamStageDown", "page", "job", job),
                alert("SLOErrorRateCritical", "page"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "ingest-latency", "burn", "fast"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "canary", "burn", "fast"));

        // then
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(names(pages))
                        .containsExactlyInAnyOrder(
                                "AttestreamStageDown", "SLOErrorRateCritical", "SLOErrorBudgetBurnCritical"));
        assertThat(slos(pages)).containsExactly("ingest-latency");
    }

    /** One producer over its limit, and one shard that is stuck. */
    @Test
    void refusedEventsDoNotHideThoseThatAreNotPublished() throws Exception {
        // when
        fire(
                alert("SLOErrorRateCritical", "page"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "ingest-availability", "burn", "fast"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "publication-backlog", "burn", "fast"),
                alert("SLOErrorBudgetBurnWarning", "ticket", "slo", "consumer-lag", "burn", "slow"));

        // then
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(names(pages))
                        .containsExactlyInAnyOrder("SLOErrorRateCritical", "SLOErrorBudgetBurnCritical"));
        assertThat(slos(pages)).containsExactly("publication-backlog");
        await().atMost(SOON).untilAsserted(() -> assertThat(slos(tickets)).containsExactly("consumer-lag"));
    }

    /** It may be an inbox: what else is wrong is another cause. */
    @Test
    void partitionsWithoutALeaderHideThatTheyLackReplicasAndNothingElse() throws Exception {
        // when
        fire(
                alert("KafkaPartitionsOffline", "page"),
                alert("KafkaPartitionsUnderReplicated", "page"),
                alert("SLOErrorRateCritical", "page"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "publication-backlog", "burn", "fast"));

        // then
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(names(pages))
                        .containsExactlyInAnyOrder(
                                "KafkaPartitionsOffline", "SLOErrorRateCritical", "SLOErrorBudgetBurnCritical"));
    }

    @Test
    void aBrokenPromiseIsInNobodysShadow() throws Exception {
        // when
        fire(
                alert("AttestreamProcessDown", "page", "job", "attestream-checkpointer"),
                alert("SLOIntegrityViolated", "page", "slo", "integrity"));

        // then: messages of their own
        await().atMost(SOON).untilAsserted(() -> assertThat(pages).hasSize(2));
        assertThat(names(pages)).containsExactlyInAnyOrder("SLOIntegrityViolated", "AttestreamProcessDown");
    }

    /** What a checkpointer that does not publish brings about is no cause of its own; a latency is. */
    @Test
    void whoStopsInDoubtPagesOnceWhateverFollowsFromIt() throws Exception {
        // when
        fire(
                inDoubt("c1", "false"),
                alert("AttestreamProcessDown", "page", "job", "attestream-checkpointer", "instance", "c1"),
                alert("AttestreamStageDown", "page", "job", "attestream-checkpointer"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "checkpoint-freshness", "burn", "fast"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "ingest-latency", "burn", "fast"));

        // then
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(names(pages))
                        .containsExactlyInAnyOrder("AttestreamStoppedInDoubt", "SLOErrorBudgetBurnCritical"));
        assertThat(slos(pages)).containsExactly("ingest-latency");
    }

    private static Map<String, Object> inDoubt(String instance, String othersWork) {
        return alert(
                "AttestreamStoppedInDoubt",
                "page",
                "job",
                "attestream-checkpointer",
                "instance",
                instance,
                "others_work",
                othersWork);
    }

    /** A standby that was started with the settings of another ledger may be in doubt for days. */
    @Test
    void oneOfSeveralInDoubtHidesNothing() throws Exception {
        // when
        fire(
                inDoubt("c2", "true"),
                alert("AttestreamProcessDown", "page", "job", "attestream-checkpointer", "instance", "c1"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "checkpoint-freshness", "burn", "fast"));

        // then
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(names(pages))
                        .containsExactlyInAnyOrder(
                                "AttestreamStoppedInDoubt", "AttestreamProcessDown", "SLOErrorBudgetBurnCritical"));
    }

    @Test
    void whatBeginsTogetherComesInOneMessageAndATicketWakesNobody() throws Exception {
        // when
        fire(
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "ingest-latency", "burn", "fast"),
                alert("SLOErrorBudgetBurnCritical", "page", "slo", "ingest-latency", "burn", "slow"));
        await().atMost(SOON).untilAsserted(() -> assertThat(pages).isNotEmpty());

        // then
        assertThat(pages).hasSize(1);
        assertThat(names(pages)).hasSize(2);
        assertThat(tickets).isEmpty();
    }

    @Test
    void aTicketAloneIsATicket() throws Exception {
        fire(alert("AttestreamScrubStale", "ticket", "part", "kafka"));
        await().atMost(SOON).untilAsserted(() -> assertThat(names(tickets)).containsExactly("AttestreamScrubStale"));
        assertThat(pages).isEmpty();
    }
}
