// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.access.Environment;
import io.attestream.access.Start;
import io.attestream.access.StartGate;
import io.attestream.cli.AuthMatrix.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The decision for every combination there is; and docs/auth-matrix.md, which is made of it. */
class AuthMatrixTest {
    private static final Path PAGE = Script.HOME.resolve("docs/auth-matrix.md");

    @Test
    void everyCombinationStartsOrIsRefusedAsItIsDocumented() {
        List<Row> rows = AuthMatrix.all();
        assertThat(rows).hasSizeGreaterThan(4_000);
        for (Row row : rows) {
            Start start = StartGate.decide(new Environment(row.environment()));
            assertThat(policy(start)).as(row.toString()).isEqualTo(row.expected());
            if (start instanceof Start.Refuse refuse) {
                assertThat(refuse.reasons()).as(row.toString()).hasSameSizeAs(row.named());
                for (String variable : row.named()) {
                    assertThat(refuse.reasons())
                            .as(row.toString())
                            .anySatisfy(reason -> assertThat(reason).contains(variable));
                }
            }
        }
    }

    private static String policy(Start start) {
        return start instanceof Start.Policy policy ? policy.settings().policy().word() : "";
    }

    @Test
    void thoseThatAreStartedHaveEveryTwoChoicesTogether() {
        List<Row> rows = AuthMatrix.everyTwo();
        assertThat(rows).hasSizeLessThan(100);
        assertThat(rows).anySatisfy(row -> assertThat(row.expected()).isEmpty());
        for (String policy : List.of("dev", "jwks_strict", "jwks_rbac")) {
            assertThat(rows).anySatisfy(row -> assertThat(row.expected()).isEqualTo(policy));
        }
    }

    @Test
    void thePageIsWhatIsDecided() throws IOException {
        String page = page();
        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(PAGE)
                .as("stale: run mvn test -pl cli -am -Dtest=AuthMatrixTest -Dattestream.docs.write=true")
                .hasContent(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Who starts under which environment

                Made by a test of every combination (`AuthMatrixTest`); do not edit. `AuthMatrixIT` starts gateway, processors and checkpointer as processes with a part of them in which every two values meet, and nightly with all of them: what is refused exits with 1, names the variables and never listens.

                Every service decides alike, before it opens anything. A cell is the policy in effect; **refused** is no start. `–` is not set.

                """);
        table(page, "With `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`", Set.of(7));
        table(page, "With one of the three missing, or two, or all", Set.of(0, 1, 2, 3, 4, 5, 6));
        return page.toString();
    }

    /** @param present which of the three, a bit each; all of these have to come to the same */
    private static void table(StringBuilder page, String title, Set<Integer> present) {
        page.append("## ").append(title).append("\n\n| `AUTH_POLICY` | profile |");
        List<List<Integer>> columns = new ArrayList<>();
        for (int deployment = 0; deployment < AuthMatrix.deployments().size(); deployment++) {
            for (int insecure = 0; insecure < AuthMatrix.insecure().size(); insecure++) {
                columns.add(List.of(deployment, insecure));
                page.append(" ").append(words(deployment, insecure)).append(" |");
            }
        }
        page.append("\n|").append(" --- |".repeat(columns.size() + 2)).append("\n");
        for (int policy = 0; policy < AuthMatrix.policies().size(); policy++) {
            for (int profile = 0; profile < AuthMatrix.PROFILES.size(); profile++) {
                page.append("| ").append(AuthMatrix.words(AuthMatrix.policies().get(policy)));
                page.append(" | ")
                        .append(AuthMatrix.words(AuthMatrix.PROFILES.get(profile)))
                        .append(" |");
                for (List<Integer> column : columns) {
                    page.append(" ")
                            .append(cell(policy, profile, column, present))
                            .append(" |");
                }
                page.append("\n");
            }
        }
        page.append("\n");
    }

    private static String words(int deployment, int insecure) {
        Map<String, String> where = AuthMatrix.deployments().get(deployment);
        Map<String, String> allowed = AuthMatrix.insecure().get(insecure);
        return where.isEmpty()
                ? AuthMatrix.words(allowed)
                : AuthMatrix.words(where) + (allowed.isEmpty() ? "" : " " + AuthMatrix.words(allowed));
    }

    private static String cell(int policy, int profile, List<Integer> column, Set<Integer> present) {
        Set<String> decided = new HashSet<>();
        for (int bits : present) {
            Row row =
                    new Row(List.of(policy, profile, column.get(0), column.get(1), bits & 1, bits >> 1 & 1, bits >> 2));
            decided.add(policy(StartGate.decide(new Environment(row.environment()))));
        }
        assertThat(decided).hasSize(1);
        String word = decided.iterator().next();
        return word.isEmpty() ? "**refused**" : word;
    }
}
