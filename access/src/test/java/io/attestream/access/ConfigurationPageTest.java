// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Keeps docs/configuration/access.md equal to the code. {@code -Dattestream.docs.write=true} writes it anew. */
class ConfigurationPageTest {
    private static final Path PAGE = Path.of(
            Objects.requireNonNull(System.getProperty("attestream.home")), "docs", "configuration", "access.md");

    @Test
    void thePageIsWhatTheCodeSays() throws IOException {
        // given
        String page = page();
        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.writeString(PAGE, page);
        }

        // when, then
        assertThat(PAGE)
                .as("stale: run mvn test -pl access -Dtest=ConfigurationPageTest -Dattestream.docs.write=true")
                .hasContent(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Access

                Made from the code by a test; do not edit. Environment variables, by these names, that every service of a ledger reads: gateway, processors and checkpointer. Each decides by them before it opens anything; what is missing or relaxed ends it with exit code 1 and all reasons at once, and it never listens. Started with `--check`, a service decides, says what it decided, and ends.

                What starts under which environment: [the matrix](../auth-matrix.md). The policy in effect is logged at start and exported as `attestream_access_policy`.

                | variable | default | meaning |
                | --- | --- | --- |
                """);
        for (AuthVariable variable : AuthVariable.values()) {
            String value = variable.defaultValue();
            page.append("| `" + variable + "` | " + (value.isEmpty() ? "" : "`" + value + "`") + " | "
                    + variable.description() + " |\n");
        }
        page.append("""

                Refused whatever the policy: properties of libraries that relax what is verified (`trust-all` of anything, verification of host names, routes without a declared access), and those that look as if they configured tokens and are read by nobody (`mp.jwt.*`, `smallrye.jwt.*`, `quarkus.oidc.*`). Refused in production: `ATTESTREAM_DEV=true`, and the profiles `dev` and `test` of Quarkus.
                """);
        return page.toString();
    }
}
