// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.http.BoundedBody;
import io.attestream.operations.slo.Slo;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks a Prometheus what the rules of {@code deploy/prometheus} made of all processes. Blocking, with limits on time and size. */
final class PrometheusClient {
    static final int MAX_ANSWER_BYTES = 4 << 20;

    private static final String SERIES = "{__name__=~\"slo:current_burn_rate:ratio"
            + "|slo:period_error_budget_remaining:ratio"
            + "|attestream_sequencer_size"
            + "|attestream_checkpointer_(shard_verified_size|oldest_unpublished_age_seconds|unpacked_leaves"
            + "|snapshot_age_seconds|scrub_age_seconds|scrub_found)"
            + "|attestream_processors_scrub_(age_seconds|found)"
            + "|attestream_monitor_(verified_epochs|checkpoint_age_seconds)\"}";

    private final URI base;
    private final Duration timeout;
    private final HttpClient http;
    private final ObjectMapper json = new ObjectMapper();

    /** @param timeout of one request, to the last byte of its answer */
    PrometheusClient(URI base, Duration timeout) {
        this.base = base;
        this.timeout = timeout;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(timeout)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    private static final class NoAnswer extends Exception {
        NoAnswer(String reason) {
            super("Prometheus " + reason, null, false, false);
        }
    }

    /** Never fails: what went wrong is the reason of a look without answers. The first request that fails is the last. */
    PrometheusLook look(List<Slo> objectives) {
        try {
            List<PrometheusLook.Sample> series = query(SERIES);
            Map<String, Double> occurrences = new HashMap<>();
            for (Slo slo : objectives) {
                if (slo.indicator() instanceof Slo.Indicator.Never never) {
                    query("sum(increase(" + never.query() + "[" + slo.windowDays() + "d]))")
                            .forEach(sample -> occurrences.put(slo.name(), sample.value()));
                }
            }
            return new PrometheusLook(null, series, occurrences, alertingRules());
        } catch (NoAnswer e) {
            return PrometheusLook.none(String.valueOf(e.getMessage()));
        }
    }

    private List<PrometheusLook.Sample> query(String promql) throws NoAnswer {
        JsonNode data = get("/api/v1/query?query=" + URLEncoder.encode(promql, StandardCharsets.UTF_8));
        if (!data.path("resultType").asText().equals("vector")) {
            throw notUnderstood();
        }
        List<PrometheusLook.Sample> samples = new ArrayList<>();
        for (JsonNode result : data.path("result")) {
            samples.add(new PrometheusLook.Sample(
                    texts(result.path("metric")), value(result.path("value").path(1))));
        }
        return samples;
    }

    private static double value(JsonNode text) throws NoAnswer {
        return switch (text.asText()) {
            case "+Inf" -> Double.POSITIVE_INFINITY;
            case "-Inf" -> Double.NEGATIVE_INFINITY;
            default -> {
                try {
                    yield Double.parseDouble(text.asText());
                } catch (NumberFormatException e) {
                    throw notUnderstood();
                }
            }
        };
    }

    private List<PrometheusLook.Rule> alertingRules() throws NoAnswer {
        JsonNode groups = get("/api/v1/rules?type=alert").path("groups");
        if (!groups.isArray()) {
            throw notUnderstood();
        }
        List<PrometheusLook.Rule> rules = new ArrayList<>();
        for (JsonNode group : groups) {
            for (JsonNode rule : group.path("rules")) {
                List<PrometheusLook.Alert> alerts = new ArrayList<>();
                for (JsonNode alert : rule.path("alerts")) {
                    alerts.add(new PrometheusLook.Alert(
                            texts(alert.path("labels")),
                            texts(alert.path("annotations")),
                            alert.path("state").asText().equals("firing"),
                            alert.path("activeAt").asText()));
                }
                // "unknown" is a rule that was not evaluated yet.
                boolean evaluated = rule.path("health").asText().equals("ok");
                String error = rule.path("lastError").asText("");
                rules.add(new PrometheusLook.Rule(
                        rule.path("name").asText(),
                        evaluated ? "" : error.isEmpty() ? "it was not evaluated yet" : error,
                        alerts));
            }
        }
        return rules;
    }

    private static Map<String, String> texts(JsonNode object) {
        Map<String, String> texts = new HashMap<>();
        object.properties()
                .forEach(field -> texts.put(field.getKey(), field.getValue().asText()));
        return texts;
    }

    private static NoAnswer notUnderstood() {
        return new NoAnswer("gave an answer that is not understood: is attestream.ops.prometheus-url its URL?");
    }

    private JsonNode get(String path) throws NoAnswer {
        HttpResponse<byte[]> answer = send(path);
        if (answer.statusCode() != 200) {
            throw new NoAnswer("answered with status " + answer.statusCode());
        }
        try {
            JsonNode root = json.readTree(answer.body());
            if (root.path("status").asText().equals("success")
                    && root.path("data").isObject()) {
                return root.path("data");
            }
        } catch (IOException e) {
            // Said below.
        }
        throw notUnderstood();
    }

    private HttpResponse<byte[]> send(String path) throws NoAnswer {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base.toString().replaceAll("/+$", "") + path))
                .timeout(timeout)
                .build();
        CompletableFuture<HttpResponse<byte[]>> response =
                http.sendAsync(request, info -> BoundedBody.atMost(MAX_ANSWER_BYTES));
        try {
            // The request's own timeout ends with the headers; this one also bounds a body that stalls.
            return response.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new NoAnswer("did not answer within " + timeout.toMillis() + " ms");
        } catch (ExecutionException e) {
            throw new NoAnswer("does not answer: " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NoAnswer("was not waited for");
        } finally {
            response.cancel(true);
        }
    }
}
