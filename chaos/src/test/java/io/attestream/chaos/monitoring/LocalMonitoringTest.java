// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.monitoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.attestream.chaos.Installation;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalMonitoringTest {
    private static final Path DEPLOY = Installation.find().home().resolve("deploy");
    private static final Path PROMETHEUS = DEPLOY.resolve("prometheus");
    private static final Path ALERTMANAGER = DEPLOY.resolve("alertmanager/alertmanager.yaml");
    private static final Map<String, List<String>> TARGETS = Map.of(
            "attestream-gateway", List.of("127.0.0.1:1"),
            "attestream-processors", List.of("127.0.0.1:2", "127.0.0.1:3"),
            "attestream-checkpointer", List.of("127.0.0.1:4"),
            "attestream-monitor", List.of());

    @TempDir
    private Path directory;

    @Test
    void thePrometheusOfTheRepositoryScrapesLocalTargetsAndNothingElseDiffers() throws Exception {
        // when
        JsonNode config = LocalPrometheus.configuration(
                PROMETHEUS,
                new LocalPrometheus.Options(
                        TARGETS, Optional.of(URI.create("http://127.0.0.1:9")), Optional.of(Duration.ofSeconds(1))));

        // then
        JsonNode repository =
                new YAMLMapper().readTree(PROMETHEUS.resolve("prometheus.yaml").toFile());
        assertThat(config.at("/global/scrape_interval").asText()).isEqualTo("1000ms");
        assertThat(config.at("/global/evaluation_interval")).isEqualTo(repository.at("/global/evaluation_interval"));
        assertThat(config.at("/rule_files/0").asText())
                .isEqualTo(PROMETHEUS.resolve("rules/*.yaml").toString());
        assertThat(config.at("/alerting/alertmanagers/0/static_configs/0/targets/0")
                        .asText())
                .isEqualTo("127.0.0.1:9");
        assertThat(config.path("scrape_configs")).hasSameSizeAs(repository.path("scrape_configs"));
        assertThat(config.at("/scrape_configs/0/metrics_path").asText()).isEqualTo("/q/metrics");
        assertThat(config.at("/scrape_configs/1/static_configs/0/targets"))
                .extracting(JsonNode::asText)
                .containsExactly("127.0.0.1:2", "127.0.0.1:3");
        assertThat(config.toString()).doesNotContain("gateway-1", "monitor:9402", "alertmanager:9093");
    }

    @Test
    void withoutMoreItScrapesAsOftenAsTheRepositorySaysAndTellsNobody() throws Exception {
        JsonNode config = LocalPrometheus.configuration(
                PROMETHEUS, new LocalPrometheus.Options(TARGETS, Optional.empty(), Optional.empty()));
        assertThat(config.at("/global/scrape_interval").asText()).isEqualTo("5s");
        assertThat(config.has("alerting")).isFalse();
    }

    @Test
    void aJobThatNobodyGaveTargetsOfIsRefused() {
        Map<String, List<String>> targets = new HashMap<>(TARGETS);
        targets.remove("attestream-monitor");
        targets.put("attestream-witness", List.of());
        assertThatThrownBy(() -> LocalPrometheus.configuration(
                        PROMETHEUS, new LocalPrometheus.Options(targets, Optional.empty(), Optional.empty())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("attestream-witness")
                .hasMessageContaining("attestream-monitor");
    }

    @Test
    void theAlertmanagerOfTheRepositoryTellsLocalReceivers() throws Exception {
        // when
        JsonNode config = LocalAlertmanager.configuration(
                ALERTMANAGER,
                Map.of("pager", URI.create("http://127.0.0.1:1/p"), "tickets", URI.create("http://127.0.0.1:1/t")),
                Optional.of(Duration.ofSeconds(2)));

        // then
        JsonNode repository = new YAMLMapper().readTree(ALERTMANAGER.toFile());
        assertThat(config.path("inhibit_rules"))
                .isEqualTo(repository.path("inhibit_rules"))
                .isNotEmpty();
        assertThat(config.at("/route/routes")).isEqualTo(repository.at("/route/routes"));
        assertThat(config.at("/route/group_wait").asText()).isEqualTo("2000ms");
        assertThat(config.at("/receivers/0/webhook_configs/0/url").asText()).isEqualTo("http://127.0.0.1:1/p");
        assertThat(config.at("/receivers/0/webhook_configs/0/send_resolved").asBoolean())
                .isTrue();
    }

    @Test
    void aReceiverThatIsNotNamedIsRefused() {
        assertThatThrownBy(() -> LocalAlertmanager.configuration(
                        ALERTMANAGER, Map.of("pager", URI.create("http://127.0.0.1:1/p")), Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tickets");
    }

    @Test
    void whatIsNotInstalledIsNamedWithTheCommandThatInstallsIt() throws Exception {
        // given a file of that name that cannot be run
        Files.createFile(directory.resolve("prometheus"));

        // then
        assertThatThrownBy(() -> LocalServer.require("prometheus", "/nowhere:" + directory))
                .isInstanceOf(MissingProgram.class)
                .hasMessage("prometheus is not on the path: install it with deploy/prometheus/install.sh");
        assertThat(PROMETHEUS.resolve("install.sh")).isExecutable();
    }

    @Test
    void whatIsThereIsFound() {
        LocalServer.require("sh", System.getenv("PATH"));
    }

    /** As when it was killed: the system closes what it held. */
    @Test
    void theProgramEndsWhenNobodyHoldsItsInputAnyMore() throws Exception {
        // given
        Process program = new ProcessBuilder(LocalServer.command("sleep", List.of("300"))).start();
        try {
            assertThat(program.waitFor(200, TimeUnit.MILLISECONDS)).isFalse();

            // when
            program.getOutputStream().close();

            // then
            assertThat(program.waitFor(20, TimeUnit.SECONDS)).isTrue();
        } finally {
            program.destroyForcibly();
        }
    }
}
