// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
                "indicator:      | indicatorRef:    | spec.indicator.spec is missing",
                "all_total       | attestream_nope_total | names what no service exports: attestream_nope_total",
                "all_total       | attestream_ingest_acknowledgement_seconds_coun | names what no service exports"
            })
    void saysWhatIsWrong(String part, String other, String message) {
        assertThat(GOOD).contains(part);
        assertThatThrownBy(() -> SloReader.read("a.yaml", GOOD.replace(part, other)))
                .isInstanceOf(InvalidSlo.class)
                .hasMessageStartingWith("a.yaml: ")
                .hasMessageContaining(message);
    }

    /** What is read and ignored would be another objective than the one that was written. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "timeSliceWindow: 15s  | timeSliceWindow: 60s | timeSliceWindow must be 15s, is 60s",
                "timeSliceTarget: 0.99 | timeSliceTarget: 0.5 | timeSliceTarget must be the target",
                "op: lte               | op: gte              | op must be lte, is gte"
            })
    void slicesAreThoseThatRulesSee(String part, String other, String message) {
        String slices = GOOD.replaceAll(
                        "(?s)ratioMetric:.*?(?=timeWindow)",
                        "thresholdMetric:\n            "
                                + "metricSource: {type: Prometheus, spec: {query: attestream_lag_look_age_seconds}}\n  ")
                .replace("Occurrences", "Timeslices")
                .replace(
                        "target: 0.999}",
                        "target: 0.99, op: lte, value: 30, timeSliceTarget: 0.99, timeSliceWindow: 15s}");
        assertThat(slices).contains(part);
        assertThatCode(() -> SloReader.read("a.yaml", slices)).doesNotThrowAnyException();
        assertThatThrownBy(() -> SloReader.read("a.yaml", slices.replace(part, other)))
                .isInstanceOf(InvalidSlo.class)
                .hasMessageContaining(message);
    }

    @Test
    void metricsOfOthersAndRecordingRulesAreNotJudged() {
        for (String query : List.of("other_total", "attestream_x:rate5m", "{__name__=~'attestream_.*|a|a'}")) {
            String other = GOOD.replace("query: all_total", "query: \"" + query.replace("'", "\\\"") + "\"");
            assertThatCode(() -> SloReader.read("a.yaml", other)).as(query).doesNotThrowAnyException();
        }
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
