// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.cli.Compose.Service;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine.Option;
import software.amazon.awssdk.core.SdkSystemSetting;
import software.amazon.awssdk.profiles.ProfileFileSystemSetting;

/** deploy/docker-compose.yml, as far as can be seen without starting anything; {@link ComposeIT} does that. */
class ComposeTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern SECRET = Pattern.compile("/run/secrets/([a-z.-]+)");
    private static final Pattern ADDRESS = Pattern.compile("https?://([a-z0-9-]+):\\d+");

    private static Compose compose;

    @BeforeAll
    static void read() throws IOException {
        compose = Compose.read();
    }

    // ---- what a service is given

    @Test
    void everyVariableIsOneThatItsServiceKnows() throws IOException {
        assertThat(own()).hasSizeGreaterThan(7);
        for (Service service : own()) {
            assertThat(unknownVariables(service)).as(service.name()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "checkpointer-1, ATTESTREAM_CHECKPOINTER_STANBY",
        "gateway-1, ATTESTREAM_INSTANCE_ID",
        "gateway-1, OAUTH_TOKEN_URL",
        "processors-1, AUTH_POLICIES",
        "monitor, ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS"
    })
    void aVariableThatIsMisspeltOrOfAnotherServiceIsSeen(String service, String variable) throws IOException {
        ObjectNode environment =
                compose.service(service).node().path("environment").deepCopy();
        environment.put(variable, "true");

        assertThat(unknownVariables(
                        compose.with(service, "environment", environment).service(service)))
                .containsExactly(variable);
    }

    @Test
    void everySecretThatIsNamedIsMountedAndMadeByTheScript() throws IOException {
        String script = Files.readString(Compose.DEPLOY.resolve("prepare"));
        for (Service service : compose.services()) {
            assertThat(service.list("secrets"))
                    .as(service.name())
                    .containsExactlyInAnyOrderElementsOf(
                            SECRET.matcher(service.environment().toString() + service.list("command"))
                                    .results()
                                    .map(named -> named.group(1))
                                    .collect(Collectors.toSet()));
        }
        compose.root().path("secrets").properties().forEach(secret -> {
            assertThat(secret.getValue().path("file").asText()).isEqualTo("./secrets/" + secret.getKey());
            assertThat(script).contains("$secrets/" + secret.getKey());
        });
    }

    @Test
    void everyDirectoryThatIsMountedIsThere() {
        Set<String> volumes = new HashSet<>();
        compose.root().path("volumes").fieldNames().forEachRemaining(volumes::add);
        for (Service service : compose.services()) {
            for (String mount : service.list("volumes")) {
                String source = mount.substring(0, mount.indexOf(':'));
                if (!source.startsWith("./")) {
                    assertThat(volumes).as(service.name()).contains(source);
                    continue;
                }
                assertThat(mount).as(service.name()).endsWith(":ro");
                assertThat(Compose.DEPLOY.resolve(source)).isDirectory();
            }
        }
    }

    /** Provisioning names a directory of the container. */
    @Test
    void grafanaLooksForDashboardsWhereTheyAreMounted() throws IOException {
        List<String> mounted = compose.service("grafana").list("volumes").stream()
                .map(mount -> mount.split(":", -1)[1])
                .toList();
        for (JsonNode provisioned : provisionedInGrafana()) {
            for (JsonNode provider : provisioned.path("providers")) {
                assertThat(mounted).contains(provider.at("/options/path").asText());
            }
            for (JsonNode source : provisioned.path("datasources")) {
                assertThat(source.path("url").asText()).isEqualTo("http://prometheus:9090");
            }
        }
    }

    private static List<JsonNode> provisionedInGrafana() throws IOException {
        List<JsonNode> all = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Compose.DEPLOY.resolve("grafana/provisioning"))) {
            for (Path file :
                    files.filter(file -> file.toString().matches(".*\\.ya?ml")).toList()) {
                all.add(Compose.yaml(Files.readString(file)));
            }
        }
        assertThat(all).hasSizeGreaterThan(1);
        return all;
    }

    // ---- what all keep to

    @ParameterizedTest
    @EnumSource
    void everyServiceKeepsTheRule(ComposeRule rule) {
        assertThat(compose.services())
                .hasSizeGreaterThan(15)
                .allSatisfy(service -> assertThat(rule.holds(compose, service))
                        .as(service.name() + " keeps " + rule)
                        .isTrue());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "LIMITS | kafka-1 | mem_limit | null",
                "LIMITS | gateway-1 | mem_limit | \"0\"",
                "LIMITS | gateway-1 | cpus | null",
                "LIMITS | init | pids_limit | null",
                "READ_ONLY | grafana | read_only | false",
                "READ_ONLY | monitor | read_only | null",
                "NOT_ROOT | objects | user | \"0:0\"",
                "NOT_ROOT | processors-2 | user | null",
                "NOT_ROOT | processors-2 | user | \"root\"",
                "NO_CAPABILITIES | registry | cap_drop | null",
                "NO_CAPABILITIES | registry | cap_add | [\"NET_ADMIN\"]",
                "NO_CAPABILITIES | registry | privileged | true",
                "NO_NEW_PRIVILEGES | prometheus | security_opt | null",
                "NO_NEW_PRIVILEGES | prometheus | security_opt | [\"no-new-privileges:false\"]",
                "EXACT_VERSION | kafka-2 | image | \"apache/kafka\"",
                "EXACT_VERSION | kafka-2 | image | \"apache/kafka:latest\"",
                "EXACT_VERSION | kafka-2 | image | \"apache/kafka:4.1\"",
                "HEALTH_CHECK | checkpointer-2 | healthcheck | null",
                "HEALTH_CHECK | checkpointer-2 | healthcheck | {\"disable\":true}",
                "OWN_NETWORK | gateway-2 | ports | [\"8080:8080\"]",
                "OWN_NETWORK | gateway-2 | network_mode | \"host\"",
                "NATIVE_LIBRARIES | processors-1 | tmpfs | [\"/tmp:size=128m\"]",
                "NATIVE_LIBRARIES | kafka-3 | tmpfs | null"
            })
    void aServiceThatBreaksTheRuleIsSeen(ComposeRule rule, String service, String member, String value)
            throws IOException {
        Compose broken = compose.with(service, member, JSON.readTree(value));

        assertThat(rule.holds(broken, broken.service(service))).isFalse();
    }

    /** One version for what is tested and what is deployed. */
    @Test
    void imagesHaveTheVersionsOfTheBuild() throws IOException {
        String pom = Files.readString(Script.HOME.resolve("pom.xml"));
        assertThat(compose.services()).allSatisfy(service -> {
            if (!service.target().isEmpty()) {
                assertThat(service.image()).isEqualTo("attestream/" + service.target() + ":" + first(pom, "version"));
                assertThat(service.node().at("/build/dockerfile").asText()).isEqualTo("deploy/images/Dockerfile");
            }
        });
        assertThat(compose.service("kafka-1").image()).isEqualTo("apache/kafka:" + first(pom, "kafka.version"));
        assertThat(compose.service("registry").image())
                .isEqualTo("apicurio/apicurio-registry:" + first(pom, "apicurio.registry.version"));
        assertThat(Compose.baseImages()).hasSize(2).allMatch(ComposeRule::isExact);
        assertThat(Compose.baseImages().get(0)).startsWith("eclipse-temurin:25.");
    }

    /** What a broker can forget or make up is not left to defaults. */
    @Test
    void brokersKeepWhatIsAcknowledged() {
        for (String broker : List.of("kafka-1", "kafka-2", "kafka-3")) {
            assertThat(compose.service(broker).environment())
                    .containsEntry("KAFKA_DEFAULT_REPLICATION_FACTOR", "3")
                    .containsEntry("KAFKA_MIN_INSYNC_REPLICAS", "2")
                    .containsEntry("KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE", "false")
                    .containsEntry("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "3")
                    .containsEntry("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "3")
                    .containsEntry("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "2")
                    .containsEntry("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false");
        }
        assertThat(own())
                .allSatisfy(service -> assertThat(service.environment()).doesNotContainKey("ATTESTREAM_DEV"));
    }

    /** Without the handler a broker takes tokens that nobody signed, without an issuer such of others. */
    @Test
    void brokersLetNobodyInWhomTheIssuerDidNotNameAndNobodyDoWhatNoAclAllows() {
        String clients = "KAFKA_LISTENER_NAME_CLIENTS_";
        for (String broker : List.of("kafka-1", "kafka-2", "kafka-3")) {
            Map<String, String> environment = compose.service(broker).environment();
            assertThat(environment)
                    .containsEntry(
                            "KAFKA_AUTHORIZER_CLASS_NAME", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
                    .containsEntry("KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND", "false")
                    .containsEntry("KAFKA_SUPER_USERS", "$${secrets:/run/secrets/kafka-brokers.properties:super.users}")
                    .containsEntry(clients + "SASL_ENABLED_MECHANISMS", "OAUTHBEARER")
                    .containsEntry(
                            clients + "OAUTHBEARER_SASL_SERVER_CALLBACK_HANDLER_CLASS",
                            "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler")
                    .containsKeys(
                            clients + "SASL_OAUTHBEARER_EXPECTED_ISSUER",
                            clients + "SASL_OAUTHBEARER_EXPECTED_AUDIENCE",
                            clients + "CONNECTIONS_MAX_REAUTH_MS");
            assertThat(environment.get("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP")).doesNotContain(":PLAINTEXT");
        }
    }

    // ---- who looks at whom

    @Test
    void prometheusScrapesAllOfOursAndNobodyElse() throws IOException {
        assertThat(scrapeProblems(Files.readString(Compose.DEPLOY.resolve("prometheus/prometheus.yaml"))))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "gateway-2:9000, gateway-3:9000",
        "gateway-2:9000, gateway-2:8080",
        "'processors-1:8081, ', ''",
        "alertmanager:9093, alerts:9093"
    })
    void aTargetThatIsNotThereOrIsMissingIsSeen(String target, String instead) throws IOException {
        String changed = Files.readString(Compose.DEPLOY.resolve("prometheus/prometheus.yaml"))
                .replace(target, instead);

        assertThat(scrapeProblems(changed)).isNotEmpty();
    }

    /** Without its Prometheus the page knows neither objectives nor alerts, and a port that is not published shows it to nobody. */
    @Test
    void theOpsPageOfEachGatewayKnowsPrometheusAndEvidenceAndIsReachedFromThisMachineOnly() throws IOException {
        String page = Files.readString(Compose.DEPLOY.resolve("README.md"));
        Map.of("gateway-1", "9000", "gateway-2", "9100").forEach((name, port) -> {
            Service gateway = compose.service(name);
            String management = gateway.environment().get("QUARKUS_MANAGEMENT_PORT");
            assertThat(gateway.environment()).containsEntry("ATTESTREAM_OPS_PROMETHEUS_URL", "http://prometheus:9090");
            assertThat(gateway.list("volumes"))
                    .contains("./evidence:" + gateway.environment().get("ATTESTREAM_OPS_EVIDENCE_DIR") + ":ro");
            assertThat(gateway.list("ports")).contains("127.0.0.1:" + port + ":" + management);
            assertThat(page).contains("`http://127.0.0.1:" + port + "/ops`");
        });
    }

    /** The two that are the reader's are named in the page. */
    @Test
    void alertsGoToServicesOrToWhomThePageNames() throws IOException {
        String page = Files.readString(Compose.DEPLOY.resolve("README.md"));
        assertThat(ADDRESS.matcher(Files.readString(Compose.DEPLOY.resolve("alertmanager/alertmanager.yaml")))
                        .results())
                .isNotEmpty()
                .allSatisfy(address -> assertThat(page).contains("`" + address.group(1) + "`"));
    }

    // ---- the test's own reading

    @Test
    void variablesArePutInAsComposeDoes() {
        assertThat(Compose.interpolate("a ${X:?no} ${Y:-d} ${Z} $${x:y}", Map.of("X", "1", "Z", "$3")))
                .isEqualTo("a 1 d $3 ${x:y}");
        assertThatThrownBy(() -> Compose.interpolate("${X:?run it}", Map.of("X", "")))
                .hasMessage("X: run it");
    }

    private static List<Service> own() {
        return compose.services().stream()
                .filter(service -> service.image().startsWith("attestream/"))
                .filter(service -> !service.target().equals("objects"))
                .toList();
    }

    private static List<String> unknownVariables(Service service) throws IOException {
        Set<String> known = knownVariables(service.target());
        return service.environment().keySet().stream()
                .filter(variable -> !known.contains(variable))
                .toList();
    }

    /** The pages of settings are made of the typed configuration. */
    private static Set<String> knownVariables(String target) throws IOException {
        if (target.equals("cli")) {
            return Arrays.stream(Connection.class.getDeclaredFields())
                    .map(ComposeTest::defaultOf)
                    .map(Pattern.compile("\\$\\{env:([A-Z_]+)}")::matcher)
                    .filter(Matcher::matches)
                    .map(variable -> variable.group(1))
                    .collect(Collectors.toSet());
        }
        Path pages = Script.HOME.resolve("docs/configuration");
        String page = Files.readString(pages.resolve(target + ".md")) + Files.readString(pages.resolve("access.md"));
        Set<String> known = Pattern.compile("(?m)^\\|(?: `[a-z.-]+` \\|)? `([A-Z][A-Z_]+)` \\|")
                .matcher(page)
                .results()
                .map(row -> row.group(1))
                .collect(Collectors.toSet());
        assertThat(known).hasSizeGreaterThan(10);
        Stream.of(SdkSystemSetting.values()).forEach(setting -> known.add(setting.environmentVariable()));
        Stream.of(ProfileFileSystemSetting.values()).forEach(setting -> known.add(setting.environmentVariable()));
        return known;
    }

    private static String defaultOf(Field field) {
        Option option = field.getAnnotation(Option.class);
        return option == null ? "" : option.defaultValue();
    }

    private static List<String> scrapeProblems(String prometheus) {
        JsonNode config = Compose.yaml(prometheus);
        Set<String> targets = new HashSet<>();
        config.path("scrape_configs").forEach(job -> targets.addAll(targets(job)));
        Set<String> alerting = new HashSet<>();
        config.at("/alerting/alertmanagers").forEach(group -> alerting.addAll(targets(group)));
        Set<String> expected = own().stream()
                .filter(service -> !compose.isAwaitedToEnd(service.name()))
                .map(service -> service.name() + ":" + service.healthCheck().get(2))
                .collect(Collectors.toSet());
        Stream<String> strangers =
                targets.stream().filter(target -> !expected.contains(target)).map(target -> target + " is no service");
        Stream<String> missing =
                expected.stream().filter(target -> !targets.contains(target)).map(target -> target + " is not scraped");
        Stream<String> unheard = alerting.equals(Set.of("alertmanager:9093"))
                ? Stream.of()
                : Stream.of(alerting + " are not the Alertmanager");
        return Stream.of(strangers, missing, unheard).flatMap(all -> all).toList();
    }

    private static List<String> targets(JsonNode job) {
        return StreamSupport.stream(job.path("static_configs").spliterator(), false)
                .flatMap(group -> Compose.strings(group.path("targets")).stream())
                .toList();
    }

    private static String first(String pom, String element) {
        Matcher found = Pattern.compile("<" + element + ">([^<]+)</").matcher(pom);
        assertThat(found.find()).as(element).isTrue();
        return found.group(1);
    }
}
