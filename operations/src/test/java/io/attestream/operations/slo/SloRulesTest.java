// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The rules are made of the objectives; {@code -Dattestream.docs.write=true} writes them. */
class SloRulesTest {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    private static final Path RULES = HOME.resolve("deploy/prometheus/rules/slo.yaml");

    @Test
    void theRulesAreThoseOfTheObjectives() throws Exception {
        List<Slo> slos = SloReader.readAll(HOME.resolve("runbooks/slo"));
        String expected = PrometheusRules.yaml(slos);
        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.writeString(RULES, expected);
        }
        assertThat(RULES)
                .as("stale: mvn test -pl operations -am -Dtest=SloRulesTest -Dattestream.docs.write=true")
                .hasContent(expected);
    }

    /** Paces and windows as docs/slo.md has them, which what makes the rules does not know: each of the four, of each objective. */
    @Test
    void eachObjectiveBurnsAtFourPaces() throws Exception {
        JsonNode rules = new YAMLMapper().readTree(Files.readString(RULES));
        for (Slo slo : SloReader.readAll(HOME.resolve("runbooks/slo"))) {
            List<String> burns = new ArrayList<>();
            rules.path("groups")
                    .forEach(group -> group.path("rules").forEach(rule -> {
                        JsonNode labels = rule.path("labels");
                        if (rule.path("alert").asText().startsWith("SLOErrorBudgetBurn")
                                && labels.path("slo").asText().equals(slo.name())) {
                            burns.add(rule.path("alert").asText() + " "
                                    + labels.path("severity").asText() + " "
                                    + burn(rule.path("expr").asText(), slo));
                        }
                    }));
            if (slo.indicator() instanceof Slo.Indicator.Never) {
                assertThat(burns).as(slo.name()).isEmpty();
            } else {
                assertThat(burns)
                        .as(slo.name())
                        .containsExactlyInAnyOrder(
                                "SLOErrorBudgetBurnCritical page 14.4 over 5m and 1h",
                                "SLOErrorBudgetBurnCritical page 6 over 30m and 6h",
                                "SLOErrorBudgetBurnWarning ticket 3 over 2h and 1d",
                                "SLOErrorBudgetBurnWarning ticket 1 over 6h and 3d");
            }
        }
    }

    private static String burn(String expression, Slo slo) {
        String part = "slo:sli_error:ratio_rate(\\w+)\\{slo=\"" + slo.name() + "\"} > \\(([0-9.]+) \\* ([0-9.]+)\\)";
        Matcher both = Pattern.compile("^" + part + " and " + part).matcher(expression);
        assertThat(both.find()).as(expression).isTrue();
        assertThat(both.group(2)).isEqualTo(both.group(5));
        for (String budget : List.of(both.group(3), both.group(6))) {
            assertThat(Double.parseDouble(budget)).isCloseTo(1 - slo.target(), within(1e-12));
        }
        return both.group(2) + " over " + both.group(1) + " and " + both.group(4);
    }
}
