// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who is paged, by messages as Alertmanager sends them. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ResponderTest {
    private static final String RUNBOOKS = "https://example.org/runbooks/";

    @TempDir
    private Path scratch;

    private final AtomicInteger byHand = new AtomicInteger();
    private List<String> done = List.of();

    private static Pager.Alert page(@Nullable String runbook) {
        return new Pager.Alert(
                "SomeAlert", true, "f1", true, runbook == null ? null : URI.create(RUNBOOKS + runbook), Instant.now());
    }

    private Responder responder() {
        return new Responder(home(), scratch.resolve("no-cluster"), scratch, () -> {
            byHand.incrementAndGet();
            return done;
        });
    }

    /** The runbooks as they are, beside an {@code attestream} that has nothing to be built and finds no cluster. */
    private Path home() {
        try {
            Path home = scratch.resolve("home");
            Path program = home.resolve("attestream");
            if (!Files.exists(program)) {
                Files.createDirectory(home);
                Files.createSymbolicLink(home.resolve("runbooks"), Script.HOME.resolve("runbooks"));
                Files.writeString(program, "#!/bin/sh\necho no cluster >&2\nexit 1\n");
                Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
            }
            return home;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void commandsOfTheRunbookAreRunAndWhatTheyEndWithIsKept() {
        // given
        done = List.of("the disk is freed");

        try (Responder responder = responder()) {
            // when
            responder.page(page("AttestreamProcessDown.md"));
            responder.finish();

            // then there is no cluster, so that nothing can be started
            Responder.Step first = responder.steps().get(0);
            assertThat(first.byHand()).isTrue();
            assertThat(first.command()).isEqualTo("the disk is freed");
            Responder.Step second = responder.steps().get(1);
            assertThat(second.byHand()).isFalse();
            assertThat(second.command()).startsWith("./attestream ");
            assertThat(second.exitCode()).isEqualTo(1);
            assertThat(second.output()).isEqualTo("no cluster\n");
            assertThat(byHand).hasValue(1);
            assertThat(responder.mitigatedAt()).isNotNull();
        }
    }

    @Test
    void aRunbookThatCannotBeOpenedIsAStepThatFailed() {
        try (Responder responder = responder()) {
            // when
            responder.page(page("NoSuchPage.md"));
            responder.page(page(null));
            responder.finish();

            // then
            assertThat(responder.steps()).extracting(Responder.Step::exitCode).containsExactlyInAnyOrder(-1, -1);
            assertThat(responder.steps())
                    .extracting(Responder.Step::command)
                    .containsExactlyInAnyOrder("open the runbook", "follow " + RUNBOOKS + "NoSuchPage.md");
        }
    }

    @Test
    void noCommandIsRunWhenWhatComesBeforeItCannotBeDone() {
        // given
        Responder responder = new Responder(home(), scratch, scratch, () -> {
            byHand.incrementAndGet();
            throw new IllegalStateException("the disk cannot be freed");
        });

        // when
        responder.page(page("AttestreamProcessDown.md"));
        responder.finish();
        responder.close();

        // then no command is run after it
        assertThat(responder.steps())
                .singleElement()
                .satisfies(step -> assertThat(step.output()).contains("the disk cannot be freed"));
    }

    @Test
    void thePagerHandsOnPagesAndKeepsWhatIsOver() throws Exception {
        // given
        try (Responder responder = responder();
                Pager pager = Pager.start(responder::page)) {
            // when
            send(pager.url("ticket"), "f1", "firing", "NoSuchPage.md");

            // then
            assertThat(responder.acknowledgedAt()).isNull();
            assertThat(Pager.isQuiet(pager.alerts())).isTrue();

            // when
            send(pager.url("page"), "f2", "firing", "NoSuchPage.md");

            // then
            await().atMost(30, TimeUnit.SECONDS).until(() -> responder.steps().size() == 1);
            assertThat(responder.acknowledgedAt()).isNotNull();
            assertThat(Pager.isQuiet(pager.alerts())).isFalse();

            // when
            send(pager.url("page"), "f2", "resolved", "NoSuchPage.md");

            // then
            assertThat(Pager.isQuiet(pager.alerts())).isTrue();
            assertThat(pager.alerts()).extracting(Pager.Alert::firing).isEqualTo(List.of(true, true, false));
        }
    }

    private static void send(URI url, String fingerprint, String status, String runbook) throws Exception {
        String message = "{\"alerts\":[{\"status\":\"" + status + "\",\"fingerprint\":\"" + fingerprint
                + "\",\"labels\":{\"alertname\":\"SomeAlert\"},\"annotations\":{\"runbook_url\":\"" + RUNBOOKS + runbook
                + "\"}}]}";
        assertThat(HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(url)
                                        .POST(HttpRequest.BodyPublishers.ofString(message))
                                        .build(),
                                HttpResponse.BodyHandlers.discarding())
                        .statusCode())
                .isEqualTo(200);
    }
}
