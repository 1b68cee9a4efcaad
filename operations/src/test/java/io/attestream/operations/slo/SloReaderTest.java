// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an objective must have, and what is said of one that has not. */
class SloReaderTest {
    private static final String GOOD = """
            apiVersion: openslo/v1
            kind: SLO
            metadata: {name: requests, displayName: Requests}
            spec:
              service: attestream
              description: Of the requests, those that were good.
              indicator:
                metadata: {name: requests}
                spec:
                  ratioMetric:
                    counter: true
                    bad: {metricSource: {type: Prometheus, spec: {query: bad_total}}}
                    total: {metricSource: {type: Prometheus, spec: {query: all_total}}}
              timeWindow: [{duration: 30d, isRolling: true}]
              budgetingMethod: Occurrences
              objectives: [{displayName: good, target: 0.999}]
            """;

    @Test
    void readsAnObjective() throws Exception {
        assertThat(SloReader.read("a.yaml", GOOD))
                .isEqualTo(new Slo(
                        "requests",
                        "Requests",
                        "Of the requests, those that were good.",
                        "attestream",
                        new Slo.Indicator.Ratio(Slo.Indicator.Ratio.Count.BAD, "bad_total", "all_total", false),
                        0.999,
                        30));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "openslo/v1      | openslo/v2       | apiVersion must be openslo/v1, is openslo/v2",
                "kind: SLO       | kind: Service    | kind must be SLO",
                "name: requests, | name: Requests!, | metadata.name must be a-z",
                "target: 0.999   | target: 99.9     | spec.objectives[0].target must be above 0 and at most 1, is 99.9",
                "target: 0.999   | target: high     | spec.objectives[0].target must be a number",
                "target: 0.999   | target: 1        | target must be 1 of a rawMetric",
                "duration: 30d   | duration: 4w     | spec.timeWindow must be one rolling window of days",
                "isRolling: true | isRolling: false | spec.timeWindow must be one rolling window of days",
                "ratioMetric     | otherMetric      | spec.indicator.spec must have a ratioMetric",
                "Occurrences     | Timeslices       | spec.indicator.spec must have a ratioMetric",
                "counter: true   | counter: false   | ratioMetric.counter must be true",
                "total: {        | totals: {        | ratioMetric must have two of good",
                "type: Prometheus, spec: {query: bad_total | type: Datadog, spec: {query: bad_total | metricSource.type must be Prometheus",
                "query: bad_total | query: ''       | metricSource.spec.query is missing",
                "service: attestream | service: {}  | spec.service must be a text",
                "indicator:      | indicatorRef:    | spec.indicator.spec is missing"
            })
    void saysWhatIsWrong(String part, String other, String message) {
        assertThat(GOOD).contains(part);
        assertThatThrownBy(() -> SloReader.read("a.yaml", GOOD.replace(part, other)))
                .isInstanceOf(InvalidSlo.class)
                .hasMessageStartingWith("a.yaml: ")
                .hasMessageContaining(message);
    }

    @Test
    void whatIsNoYamlIsNamed() {
        assertThatThrownBy(() -> SloReader.read("a.yaml", "a: [")).hasMessageStartingWith("a.yaml: file must be YAML");
    }

    @Test
    void twoObjectivesOfOneNameAreRefusedAndNoneToo(@TempDir Path directory) throws Exception {
        assertThatThrownBy(() -> SloReader.readAll(directory)).hasMessageContaining("has no file of an objective");
        Files.writeString(directory.resolve("a.yaml"), GOOD);
        Files.writeString(directory.resolve("b.yaml"), GOOD);
        assertThatThrownBy(() -> SloReader.readAll(directory))
                .hasMessage("b.yaml: metadata.name requests is another file's, too");
    }
}
