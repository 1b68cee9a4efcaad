// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
}
