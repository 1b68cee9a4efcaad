// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.attestream.chaos.FreePorts;
import io.attestream.chaos.LocalCluster;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The page /ops of a whole running stack, with a real Prometheus, in a real browser. Pictures are in target/ops-page. */
@Tag("ops")
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class OpsPageIT {
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final String HOSTILE = "<img src=/x onerror=document.title='owned'>";

    @TempDir
    private static Path scratch;

    private static int prometheusPort;
    private static LocalCluster cluster;
    private static Script monitor;
    private static Process prometheus;
    private static Browser browser;

    @BeforeAll
    static void start() throws Exception {
        prometheusPort = FreePorts.pick();
        cluster = LocalCluster.start(new LocalCluster.Options(
                scratch.resolve("data"),
                2,
                1,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                Map.of(
                        "gateway",
                        Map.of(
                                "ATTESTREAM_LAG_INTERVAL",
                                "1s",
                                "ATTESTREAM_OPS_INTERVAL",
                                "1s",
                                "ATTESTREAM_OPS_PROMETHEUS_URL",
                                "http://127.0.0.1:" + prometheusPort,
                                "ATTESTREAM_OPS_EVIDENCE_DIR",
                                Evidence.write(scratch).toString())),
                false));
        makeHostileGroup();
        monitor = Script.start(
                scratch,
                "monitor",
                "--data-dir",
                cluster.data().toString(),
                "--state",
                scratch.resolve("monitor.json").toString(),
                "--interval",
                "1",
                "--metrics-port",
                "0",
                "--canary",
                "1");
        await().atMost(SOON)
                .failFast(() -> !monitor.isAlive())
                .until(() -> monitor.err().contains("/metrics"));
        startPrometheus();
        browser = new Browser(scratch.resolve("chromium"), Path.of("target/ops-page"));
    }

    @AfterAll
    static void stop() throws Exception {
        try (LocalCluster closed = cluster;
                Browser quit = browser) {
            if (monitor != null) {
                monitor.kill();
            }
            if (prometheus != null) {
                prometheus.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
            }
        }
    }

    private static void makeHostileGroup() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            admin.alterConsumerGroupOffsets(
                            HOSTILE, Map.of(new TopicPartition("attestream.events", 0), new OffsetAndMetadata(0)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    /** With the rules as they are deployed, and one that fires at once and says what it should not. */
    private static void startPrometheus() throws Exception {
        Path home = Files.createDirectories(scratch.resolve("prometheus"));
        Files.writeString(home.resolve("hostile.yaml"), """
                groups:
                  - name: hostile
                    rules:
                      - alert: Hostile
                        expr: vector(1)
                        labels: {severity: ticket}
                        annotations:
                          summary: "%s"
                          runbook_url: "javascript:document.title='owned'"
                """.formatted(HOSTILE));
        String url = monitor.err()
                .lines()
                .filter(line -> line.startsWith("metrics on "))
                .findFirst()
                .orElseThrow()
                .substring("metrics on ".length());
        StringBuilder jobs = new StringBuilder();
        job(jobs, "gateway", cluster.managementUrl(0), "/q/metrics");
        job(jobs, "processors", cluster.serviceUrl("processors-0"), "/metrics");
        job(jobs, "checkpointer", cluster.serviceUrl("checkpointer"), "/metrics");
        job(jobs, "monitor", URI.create(url), "/metrics");
        Path config = Files.writeString(
                home.resolve("prometheus.yaml"),
                "global: {scrape_interval: 2s, evaluation_interval: 5s}\nrule_files: ["
                        + Script.HOME.resolve("deploy/prometheus/rules") + "/*.yaml, " + home.resolve("hostile.yaml")
                        + "]\nscrape_configs:\n" + jobs);
        prometheus = new ProcessBuilder(
                        "prometheus",
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + home.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + prometheusPort)
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("log").toFile())
                .start();
        await().atMost(SOON)
                .failFast(() -> !prometheus.isAlive())
                .untilAsserted(() -> assertThat(report().at("/slos/state").asText())
                        .as(report().path("slos").toString())
                        .isNotEqualTo("unknown"));
    }

    private static void job(StringBuilder jobs, String name, URI target, String path) {
        jobs.append("  - {job_name: attestream-")
                .append(name)
                .append(", metrics_path: ")
                .append(path)
                .append(", static_configs: [{targets: ['")
                .append(target.getAuthority())
                .append("']}]}\n");
    }

    private static URI management() {
        return cluster.managementUrl(0);
    }

    private static JsonNode report() throws Exception {
        return JSON.readTree(HTTP.send(
                        HttpRequest.newBuilder(management().resolve("/ops.json"))
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body());
    }

    @BeforeEach
    void open() throws Exception {
        browser.theme("light");
        browser.size(1280, 900, 1);
        browser.open(management().resolve("/ops"));
        await().atMost(SOON)
                .until(() -> browser.text("#verdict-word").contains("attention")
                        || browser.text("#verdict-word").contains("Act now"));
        await().atMost(SOON)
                .until(() -> browser.text("#lag").contains(HOSTILE)
                        && browser.text("#alerts").contains(HOSTILE));
    }

    /** Of a stack that runs every part is known. */
    @Test
    void allThatThePageShowsIsKnownOfARunningStack() throws Exception {
        // when
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                                Stream.of("slos", "alerts", "stages", "lag", "checkpoints", "evidence", "gateway"))
                        .allSatisfy(part -> assertThat(
                                        report().path(part).path("state").asText())
                                .as(report().path(part).toString())
                                .isNotEqualTo("unknown")));
        JsonNode report = report();

        // then
        assertThat(JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                        .getSchema(Files.readString(Script.HOME.resolve("docs/ops.schema.json")))
                        .validate(report.toString(), InputFormat.JSON))
                .isEmpty();
        assertThat(report.at("/checkpoints/checkpoints"))
                .isNotEmpty()
                .allSatisfy(row -> assertThat(row.toString())
                        .contains("\"signature\":\"verified\"")
                        .contains("\"contents\":\"verified\"")
                        .contains("\"consistency\":\"verified\""));
        assertThat(report.at("/stages/stages")).allSatisfy(stage -> {
            if (!stage.path("stage").asText().equals("snapshot")) {
                assertThat(stage.toString()).doesNotContain("\"unknown\"");
            }
        });
        assertThat(report.at("/evidence/scrubs")).isNotEmpty();
        assertThat(report.at("/alerts/rules").asInt()).isGreaterThan(30);
    }

    @Test
    void everybodyCanReadItInBothThemesAndOnAPhone() throws Exception {
        for (String theme : List.of("light", "dark")) {
            browser.theme(theme);
            assertThat(browser.violations()).as(theme).isEmpty();
            browser.picture(theme);
        }
        browser.theme("light");
        browser.size(390, 844, 2);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(browser.value("document.scrollingElement.scrollWidth"))
                        .as("nothing is wider than the phone")
                        .isEqualTo(390L));
        assertThat(browser.violations()).as("phone").isEmpty();
        browser.picture("phone");
        assertThat(browser.value("[...document.querySelectorAll('th')].filter(th => !th.scope).length"))
                .as("heads without a scope")
                .isEqualTo(0L);
    }

    /** Else the test above could not fail. */
    @Test
    void whatAxeLooksForIsFound() throws Exception {
        browser.value("document.querySelector('html').removeAttribute('lang')");
        browser.value("document.querySelector('#verdict-why').setAttribute('class', 'hidden')");
        assertThat(browser.violations()).anyMatch(violation -> violation.startsWith("html-has-lang"));
    }

    @Test
    void itAsksNobodyElseAndNothingIsRefusedOrFails() throws Exception {
        // given
        browser.console();
        browser.requests();

        // when
        browser.open(management().resolve("/ops"));
        await().atMost(SOON).until(() -> browser.text("#alerts").contains(HOSTILE));
        String before = browser.text("#gateway");
        await().atMost(SOON).until(() -> !browser.text("#gateway").equals(before));

        // then
        assertThat(browser.console()).isEmpty();
        assertThat(browser.requests())
                .extracting(URI::getAuthority)
                .hasSizeGreaterThan(3)
                .containsOnly(management().getAuthority());
    }

    /** Else the test above could not fail. */
    @Test
    void whatThePolicyRefusesIsSeen() {
        // given
        browser.console();

        // when
        browser.value("document.head.append(Object.assign(document.createElement('style'), {textContent: 'a {}'}))");

        // then
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(browser.console()).anyMatch(line -> line.contains("Content Security Policy")));
    }

    @Test
    void whatOthersWroteIsTextAndNoLinkRunsScripts() {
        assertThat(browser.value("document.querySelectorAll('img').length")).isEqualTo(0L);
        assertThat(browser.value(
                        "[...document.querySelectorAll('a')].filter(a => a.protocol === 'javascript:').length"))
                .isEqualTo(0L);
        assertThat((String) browser.value("document.title")).doesNotContain("owned");
    }

    @Test
    void theKeyboardReachesEveryLinkInTheOrderOfThePageAndIsSeen() {
        // given
        @SuppressWarnings("unchecked")
        List<String> links = (List<String>) browser.value("[...document.querySelectorAll('a')].map(a => a.href)");
        List<String> reached = new ArrayList<>();

        // when
        browser.value("document.activeElement.blur()");
        for (int i = 0; i < links.size() + 10; i++) {
            browser.focused().sendKeys(Keys.TAB);
            WebElement focused = browser.focused();
            if (focused.getTagName().equals("a")) {
                reached.add(focused.getDomProperty("href"));
                assertThat(focused.getCssValue("outline-style")).as("seen").isEqualTo("solid");
            }
            if (focused.getTagName().equals("body")) {
                break;
            }
        }

        // then
        assertThat(reached.get(0)).endsWith("#verdict");
        Set<String> distinct = new LinkedHashSet<>(links);
        assertThat(new LinkedHashSet<>(reached)).containsAll(distinct);
        assertThat(new ArrayList<>(new LinkedHashSet<>(reached)))
                .containsSubsequence(new ArrayList<>(distinct).subList(0, 9))
                .anyMatch(link -> link.contains("/ops/runbooks/"))
                .anyMatch(link -> link.contains("/ops/evidence/drills/"));
    }

    @Test
    void whenTheGatewayIsGoneThePageSaysSoByItself() throws Exception {
        // when
        cluster.process("gateway-0").kill();

        // then
        try {
            await().atMost(SOON).until(() -> browser.text("#verdict-word").contains("Stale"));
            assertThat(browser.text("#age")).contains("stale: data ").contains("the gateway does not answer");
            assertThat(browser.value("document.querySelector('#verdict').dataset.state"))
                    .isEqualTo("unknown");
            assertThat(browser.value("document.title").toString()).contains("Stale");
            assertThat(browser.violations()).isEmpty();
            browser.picture("stale");
        } finally {
            cluster.startAgain("gateway-0");
        }

        // and when it is back
        await().atMost(SOON)
                .until(() -> !browser.text("#age").contains("stale")
                        && !browser.text("#verdict-word").contains("Stale"));
    }

    @Test
    void withoutPrometheusItSaysWhatIsNotKnownAndShowsTheRest() throws Exception {
        // when
        prometheus.destroyForcibly().waitFor(20, TimeUnit.SECONDS);

        // then
        try {
            await().atMost(SOON).until(() -> browser.text("#verdict-word").contains("Not known"));
            assertThat(browser.text("#slos")).contains("unknown").doesNotContain("good");
            assertThat(browser.text("#alerts")).contains("Prometheus does not answer");
            assertThat(browser.text("#lag")).contains("attestream.sequencer.g1").contains("good");
            assertThat(browser.text("#checkpoints")).contains("verified").doesNotContain("unknown");
            assertThat(browser.text("#evidence")).contains("broker-loss").contains("passed");
            assertThat(browser.violations()).isEmpty();
            browser.picture("without-prometheus");
        } finally {
            startPrometheus();
        }
    }
}
