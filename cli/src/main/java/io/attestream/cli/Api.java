// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The gateway's public API as the commands use it. Turns answers other than good ones into exit codes. Thread-safe. */
final class Api {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    /** An erasure waits until no door uses the key any more, and for its acknowledgement. */
    private static final Duration ERASURE_TIMEOUT = Duration.ofSeconds(90);

    private static final Duration STREAM_TIMEOUT = Duration.ofMinutes(10);
    /** As large as a proof bundle can be. */
    private static final int ANSWER_BYTES_MAX = 64 << 20;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI base;
    private final @Nullable String token;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    Api(URI base, @Nullable String token) {
        this.base = base;
        this.token = token;
    }

    URI base() {
        return base;
    }

    Optional<String> token() {
        return Optional.ofNullable(token);
    }

    /**
     * An answer as it came.
     *
     * @param headers by their names in lower case
     */
    record Reply(int status, Map<String, List<String>> headers, byte[] body) {
        Optional<String> header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), List.of()).stream()
                    .findFirst();
        }

        JsonNode json() {
            try {
                return JSON.readTree(body);
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.ERROR, "the gateway did not answer with JSON", "Is this an Attestream gateway?");
            }
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    /** GET of a path; any status. */
    Reply get(String path, String accept) {
        HttpRequest request =
                request(path).timeout(TIMEOUT).header("Accept", accept).GET().build();
        HttpResponse<InputStream> response = send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            byte[] bytes = body.readNBytes(ANSWER_BYTES_MAX + 1);
            if (bytes.length > ANSWER_BYTES_MAX) {
                throw new CliException(
                        ExitCode.ERROR,
                        "GET " + path + " was answered with more than " + ANSWER_BYTES_MAX + " bytes",
                        "Is this an Attestream gateway?");
            }
            return new Reply(response.statusCode(), response.headers().map(), bytes);
        } catch (IOException e) {
            throw noAnswer(e);
        }
    }

    /** GET of a path that must answer 200. */
    Reply require(String path, String accept) {
        return good(path, get(path, accept));
    }

    /** Erases; any status but 200 ends the command. */
    Reply erase(byte[] request) {
        HttpRequest post = request("/v1/erasures")
                .timeout(ERASURE_TIMEOUT)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(request))
                .build();
        HttpResponse<InputStream> response = send(post, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            return good(
                    "POST /v1/erasures",
                    new Reply(response.statusCode(), response.headers().map(), body.readNBytes(ANSWER_BYTES_MAX)));
        } catch (IOException e) {
            throw noAnswer(e);
        }
    }

    /** Fails with the exit code that fits unless the status is 200. */
    static Reply good(String what, Reply reply) {
        if (reply.status() == 200) {
            return reply;
        }
        throw failure(what, reply.status(), reply.body());
    }

    private static CliException failure(String what, int status, byte[] body) {
        String detail = what + " was answered with " + status + problem(body);
        return switch (status) {
            case 401, 403 ->
                new CliException(ExitCode.AUTH, detail, "Give a token with --token-file or ATTESTREAM_TOKEN.");
            case 202 ->
                new CliException(ExitCode.NOT_FOUND_OR_PENDING, what + " is still pending", "Try again in a second.");
            case 404 ->
                new CliException(ExitCode.NOT_FOUND_OR_PENDING, detail, "Check the address, or try again later.");
            case 429, 502, 503, 504 -> new CliException(ExitCode.UNAVAILABLE, detail, "Try again later.");
            default -> new CliException(ExitCode.ERROR, detail, "Run attestream doctor.");
        };
    }

    private static String problem(byte[] body) {
        try {
            JsonNode problem = JSON.readTree(body);
            String detail = problem.path("detail").asText("");
            return detail.isEmpty() ? "" : ": " + detail;
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * Appends NDJSON events in one request; see {@link Sender} for how many there may be.
     *
     * @param lines one event each
     * @param onResult is given the results in the order of the events
     * @throws CliException as unavailable if not every event got a result
     */
    void append(List<byte[]> lines, Consumer<JsonNode> onResult) {
        HttpRequest request = request("/v1/events")
                .timeout(STREAM_TIMEOUT)
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofByteArrays(withNewlines(lines)))
                .build();
        HttpResponse<InputStream> response = send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            if (response.statusCode() != 207) {
                throw failure("POST /v1/events", response.statusCode(), body.readNBytes(64 << 10));
            }
            int results = 0;
            BufferedReader reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!line.isBlank()) {
                    onResult.accept(JSON.readTree(line));
                    results++;
                }
            }
            if (results < lines.size()) {
                throw broken((lines.size() - results) + " events got no result");
            }
        } catch (IOException e) {
            throw broken("the connection broke in the middle of the results: " + e.getMessage());
        }
    }

    private static CliException broken(String what) {
        return new CliException(
                ExitCode.UNAVAILABLE, what, "Send the same events again: an event is logged at most once.");
    }

    private static List<byte[]> withNewlines(List<byte[]> lines) {
        return lines.stream()
                .map(line -> {
                    byte[] withNewline = Arrays.copyOf(line, line.length + 1);
                    withNewline[line.length] = '\n';
                    return withNewline;
                })
                .toList();
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return request;
    }

    private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        try {
            return http.send(request, handler);
        } catch (IOException e) {
            throw noAnswer(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        }
    }

    private CliException noAnswer(IOException e) {
        String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new CliException(
                ExitCode.UNAVAILABLE,
                base + " does not answer: " + why,
                "Start a local cluster with attestream up, or give --url.");
    }
}
