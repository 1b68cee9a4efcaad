// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.WithDefault;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Keeps docs/configuration/gateway.md equal to the code. {@code -Dattestream.docs.write=true} writes it anew. */
class ConfigurationPageTest {
    private static final Path PAGE = Path.of(
            Objects.requireNonNull(System.getProperty("attestream.home")), "docs", "configuration", "gateway.md");

    @Test
    void thePageIsWhatTheCodeSays() throws IOException {
        // given
        String page = page();
        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, page);
        }

        // when, then
        assertThat(PAGE)
                .as("stale: run mvn test -pl ingest-gateway -Dtest=ConfigurationPageTest -Dattestream.docs.write=true")
                .hasContent(page);
    }

    @Test
    void everySettingIsDescribed() {
        assertThat(settings(GatewayConfig.class, "attestream"))
                .hasSizeGreaterThan(20)
                .allSatisfy(setting -> {
                    assertThat(setting.description()).as(setting.name()).isNotBlank();
                    assertThat(setting.name()).matches("attestream\\.[a-z.-]+");
                });
    }

    private record Setting(String name, String defaultValue, String description) {
        String variable() {
            return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
        }
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Configuration of the gateway

                Generated from the code (`ConfigurationPageTest`); do not edit. A start with a missing or impossible setting is refused with exit code 1 and all reasons, before anything listens. Settings without a default are required.

                ## Authentication

                See [access](access.md), which every service reads.
                """);
        page.append("\n## Gateway\n\nProperties, or environment variables.\n\n")
                .append("| property | variable | default | meaning |\n| --- | --- | --- | --- |\n");
        for (Setting setting : settings(GatewayConfig.class, "attestream")) {
            row(
                    page,
                    "`" + setting.name() + "` | `" + setting.variable() + "`",
                    setting.defaultValue(),
                    setting.description());
        }
        page.append("\n## HTTP\n\nOf Quarkus; what is most likely to be changed.\n\n")
                .append("| property | variable | default | meaning |\n| --- | --- | --- | --- |\n");
        for (Setting setting : QUARKUS) {
            row(
                    page,
                    "`" + setting.name() + "` | `" + setting.variable() + "`",
                    setting.defaultValue(),
                    setting.description());
        }
        return page.toString();
    }

    private static final List<Setting> QUARKUS = List.of(
            new Setting("quarkus.http.host", "127.0.0.1", "Address of the API."),
            new Setting("quarkus.http.port", "8080", "Port of the API."),
            new Setting(
                    "quarkus.management.host",
                    "127.0.0.1",
                    "Address of health (`/q/health/live`, `/q/health/ready`), metrics (`/q/metrics`), `/lag` and the page `/ops`."),
            new Setting("quarkus.management.port", "9000", "Port of these; not for the public."),
            new Setting("quarkus.http.limits.max-connections", "4096", "Connections at once."),
            new Setting(
                    "quarkus.http.idle-timeout",
                    "60S",
                    "Longest silence on a connection; also within an NDJSON stream."),
            new Setting(
                    "quarkus.http.limits.max-body-size",
                    "1G",
                    "Longest announced NDJSON stream; chunked streams have no end."),
            new Setting(
                    "quarkus.http.tls-configuration-name",
                    "",
                    "TLS of the API: the name of a configuration `quarkus.tls.<name>.*`; see [exposure](../exposure.md)."),
            new Setting(
                    "quarkus.http.insecure-requests",
                    "enabled",
                    "Must be `disabled` where TLS is on: a start that would serve both is refused."),
            new Setting("quarkus.shutdown.timeout", "25S", "How long a stop waits for requests."));

    private static void row(StringBuilder page, String name, String defaultValue, String description) {
        page.append("| ").append(name).append(" | ");
        page.append(defaultValue.isEmpty() ? "" : "`" + defaultValue + "`");
        page.append(" | ").append(description.replace("|", "\\|")).append(" |\n");
    }

    private static List<Setting> settings(Class<?> type, String prefix) {
        return Arrays.stream(type.getMethods())
                .filter(method -> Modifier.isAbstract(method.getModifiers()))
                .sorted(Comparator.comparing(Method::getName))
                .flatMap(method -> settings(method, prefix + "." + kebab(method.getName())))
                .toList();
    }

    private static Stream<Setting> settings(Method method, String name) {
        if (method.getReturnType().getEnclosingClass() == GatewayConfig.class) {
            return settings(method.getReturnType(), name).stream();
        }
        Describe description = method.getAnnotation(Describe.class);
        WithDefault defaultValue = method.getAnnotation(WithDefault.class);
        String unset = method.getReturnType() == Optional.class ? "not set" : "";
        return Stream.of(new Setting(
                name,
                defaultValue == null ? unset : defaultValue.value(),
                description == null ? "" : description.value()));
    }

    private static String kebab(String camel) {
        return camel.replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
    }
}
