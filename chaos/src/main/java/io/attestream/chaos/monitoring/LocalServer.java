// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.monitoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.FreePorts;
import io.attestream.chaos.ManagedProcess;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A program of the machine as a child with an HTTP API on a free port of loopback. */
final class LocalServer implements AutoCloseable {
    private static final Duration READY_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();

    /** No child agent can ride in it: a companion ends it when this process, which holds the other end of its input, is gone. */
    private static final String NOT_WITHOUT_PARENT =
            "exec 3<&0; (cat <&3; kill $$) >/dev/null 2>&1 & exec \"$@\" 3<&- </dev/null";

    private final ManagedProcess process;
    private final URI url;

    private LocalServer(ManagedProcess process, URI url) {
        this.process = process;
        this.url = url;
    }

    /**
     * Starts it and waits until it is ready.
     *
     * @param directory its log is made there
     * @param arguments without the address it listens on
     * @throws MissingProgram if it is not installed
     * @throws IllegalStateException with the end of the log, if it does not become ready
     */
    static LocalServer start(String program, Path directory, List<String> arguments) {
        require(program);
        int port = FreePorts.pick();
        List<String> command = command(program, arguments);
        command.add("--web.listen-address=127.0.0.1:" + port);
        ManagedProcess process = new ManagedProcess(program, command, Map.of(), directory.resolve(program + ".log"));
        LocalServer server = new LocalServer(process.start(), URI.create("http://127.0.0.1:" + port));
        try {
            process.awaitReady(server.url.resolve("/-/ready"), READY_TIMEOUT);
            return server;
        } catch (RuntimeException e) {
            process.close();
            throw e;
        }
    }

    static List<String> command(String program, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", NOT_WITHOUT_PARENT, program, program));
        command.addAll(arguments);
        return command;
    }

    static void require(String program) {
        require(program, System.getenv().getOrDefault("PATH", ""));
    }

    /** @param path directories, as in the environment variable of that name */
    static void require(String program, String path) {
        if (Pattern.compile(Pattern.quote(File.pathSeparator))
                .splitAsStream(path)
                .noneMatch(directory -> Files.isExecutable(Path.of(directory, program)))) {
            throw new MissingProgram(program);
        }
    }

    URI url() {
        return url;
    }

    ManagedProcess process() {
        return process;
    }

    /**
     * What the API answers.
     *
     * @throws IllegalStateException if it is not status 200
     */
    JsonNode get(String path, Map<String, String> parameters) {
        String query = parameters.entrySet().stream()
                .map(parameter ->
                        parameter.getKey() + "=" + URLEncoder.encode(parameter.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        HttpRequest request = HttpRequest.newBuilder(url.resolve(path + (query.isEmpty() ? "" : "?" + query)))
                .timeout(REQUEST_TIMEOUT)
                .build();
        try {
            HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IllegalStateException(process.name() + " answers " + response.statusCode() + " to "
                        + request.uri() + ": " + response.body());
            }
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(process.name() + " does not answer " + request.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while asking " + process.name(), e);
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
