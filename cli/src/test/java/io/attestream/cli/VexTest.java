// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the scan for vulnerabilities leaves out, by OpenVEX: for a reason, and until a day. */
class VexTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern EXPIRES = Pattern.compile("expires (\\d{4}-\\d{2}-\\d{2})");
    private static final int DAYS_MAX = 90;
    private static final String GOOD = """
            {"statements": [{"vulnerability": {"name": "CVE-1"}, "timestamp": "2026-11-30T00:00:00Z",
              "products": [{"@id": "pkg:maven/a/b@1"}], "status": "not_affected",
              "justification": "vulnerable_code_not_present", "impact_statement": "why",
              "status_notes": "expires 2026-12-31"}]}""";

    @TempDir
    private Path scratch;

    private static String vex() throws Exception {
        return Files.readString(Script.HOME.resolve(".github/vex.openvex.json"));
    }

    /** Not held against today: the scan does that ({@code scripts/vex_days.sh}), and a build of an old commit stays good. */
    @Test
    void everyExceptionHasAReasonAndHeldOnTheDayOfTheFile() throws Exception {
        LocalDate made = day(JSON.readTree(vex()));
        assertThat(violations(vex(), made))
                .as("renew what is still true with a new timestamp and day, and take away what is not")
                .isEmpty();
    }

    private static LocalDate day(JsonNode document) {
        return Instant.parse(document.path("timestamp").asText())
                .atZone(ZoneOffset.UTC)
                .toLocalDate();
    }

    @ParameterizedTest
    @CsvSource({"2026-11-29,3", "2026-11-30,0", "2026-12-31,0", "2027-01-01,3"})
    void theScansScriptRefusesAnExceptionOutsideItsDays(String today, int exitCode) throws Exception {
        Path file = Files.writeString(scratch.resolve("vex.json"), GOOD);
        ShellBlocks.Ended ended =
                ShellBlocks.run(scratch, Script.HOME, "scripts/vex_days.sh " + today + " '" + file + "'");
        assertThat(ended.exitCode()).as(ended.output()).isEqualTo(exitCode);
        assertThat(ended.output().contains("CVE-1 ")).isEqualTo(exitCode == 3);
    }

    @Test
    void eachExceptionIsFoundOnTheDayItEnds() throws Exception {
        int exceptions = JSON.readTree(vex()).path("statements").size();
        assertThat(violations(vex(), LocalDate.of(2100, 1, 1))).hasSize(exceptions);
    }

    @Test
    void anExceptionWithoutReasonOrDayOrForTooLongIsFound() {
        LocalDate today = LocalDate.of(2026, 12, 1);
        assertThat(violations(GOOD, today)).isEmpty();
        assertThat(violations(GOOD, LocalDate.of(2027, 1, 1))).containsExactly("CVE-1 expired on 2026-12-31");
        assertThat(violations(GOOD, LocalDate.of(2026, 11, 29))).containsExactly("CVE-1 is of a day to come");
        for (String wrong : List.of(
                GOOD.replace("expires 2026-12-31", ""),
                GOOD.replace("2026-12-31", "2027-12-31"),
                GOOD.replace("vulnerable_code_not_present", ""),
                GOOD.replace("\"why\"", "\"\""),
                GOOD.replace("pkg:maven/a/b@1", "pkg:maven/a/b"),
                GOOD.replace("[{\"@id\": \"pkg:maven/a/b@1\"}]", "[]"),
                GOOD.replace("}], \"status\"", "}, {\"@id\": \"pkg:maven/a/c\"}], \"status\""),
                GOOD.replace("not_affected", "affected"))) {
            assertThat(violations(wrong, today)).as(wrong).hasSize(1);
        }
    }

    private static List<String> violations(String vex, LocalDate today) {
        List<String> violations = new ArrayList<>();
        try {
            for (JsonNode statement : JSON.readTree(vex).path("statements")) {
                String name = statement.at("/vulnerability/name").asText();
                Matcher expires = EXPIRES.matcher(statement.path("status_notes").asText());
                LocalDate since = day(statement);
                List<String> products = statement.path("products").findValuesAsText("@id");
                if (!statement.path("status").asText().equals("not_affected")
                        || statement.path("justification").asText().isEmpty()
                        || statement.path("impact_statement").asText().isEmpty()) {
                    violations.add(name + " is no exception with a reason");
                } else if (products.isEmpty()
                        || products.size() != statement.path("products").size()
                        || !products.stream().allMatch(id -> id.matches("pkg:maven/[^@]+@[^@]+"))) {
                    violations.add(name + " does not name each component with its version");
                } else if (since.isAfter(today)) {
                    violations.add(name + " is of a day to come");
                } else if (!expires.find()) {
                    violations.add(name + " has no day on which it ends");
                } else if (LocalDate.parse(expires.group(1)).isBefore(today)) {
                    violations.add(name + " expired on " + expires.group(1));
                } else if (ChronoUnit.DAYS.between(since, LocalDate.parse(expires.group(1))) > DAYS_MAX) {
                    violations.add(name + " holds for more than " + DAYS_MAX + " days");
                }
            }
        } catch (JsonProcessingException e) {
            violations.add("not JSON: " + e.getMessage());
        }
        return violations;
    }
}
