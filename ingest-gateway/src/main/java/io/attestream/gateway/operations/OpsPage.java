// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.operations.evidence.LastRun;
import io.attestream.operations.slo.Runbooks;
import io.quarkus.vertx.http.ManagementInterface;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.Json;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * {@code GET /ops} on the management port, for the one on call; {@code /ops.json} is what it is made of. Everything comes from this
 * gateway: nothing is loaded from elsewhere, and no text of others is ever markup.
 */
@ApplicationScoped
public class OpsPage {
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String JSON = "application/json";
    private static final int MAX_FILE_SIZE_BYTES = 4 << 20;
    /** For people; beside the report of a game day. */
    private static final String READABLE_REPORT = "report.md";

    private final GatewayConfig config;
    private final OpsLook look;

    OpsPage(GatewayConfig config, OpsLook look) {
        this.config = config;
        this.look = look;
    }

    void routes(@Observes ManagementInterface management) {
        Router router = management.router();
        router.get("/ops.json").handler(this::json);
        page(router, "/ops", "page.html", "text/html; charset=utf-8");
        page(router, "/ops/page.css", "page.css", "text/css; charset=utf-8");
        page(router, "/ops/page.js", "page.js", "text/javascript; charset=utf-8");
        page(router, "/ops/icon.svg", "icon.svg", "image/svg+xml");
        router.get("/ops/runbooks/:file").handler(this::runbook);
        router.get("/ops/evidence/:kind/:run/:file").blockingHandler(this::evidence);
    }

    private static void page(Router router, String path, String resource, String type) {
        byte[] bytes = resource(resource);
        router.get(path).handler(context -> send(context, 200, type, Buffer.buffer(bytes)));
    }

    private static byte[] resource(String name) {
        try (InputStream in = OpsPage.class.getResourceAsStream("/ops/" + name)) {
            if (in == null) {
                throw new IllegalStateException("not in the jar: /ops/" + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void json(RoutingContext context) {
        Optional<OpsReport> report = look.newest();
        Map<String, Object> body = report.map(made -> made.json(System.nanoTime()))
                .orElseGet(() -> Map.of("reason", "nothing was looked at yet; try again"));
        send(context, report.isPresent() ? 200 : 503, JSON, Buffer.buffer(Json.encode(body)));
    }

    private void runbook(RoutingContext context) {
        String file = context.pathParam("file");
        Optional<String> page =
                file.endsWith(".md") ? Runbooks.page(file.substring(0, file.length() - 3)) : Optional.empty();
        sendOrNotFound(context, page.map(Buffer::buffer), TEXT);
    }

    /** Only of runs that are on the page: their names are compared, no path is made of what a browser sent. */
    private void evidence(RoutingContext context) {
        String wanted = context.pathParam("file");
        Optional<Path> file = look.evidence().runs().stream()
                .filter(run -> run.kind().directory().equals(context.pathParam("kind")))
                .filter(run -> run.directory().equals(context.pathParam("run")))
                .findFirst()
                .flatMap(run -> file(run, wanted));
        sendOrNotFound(context, file.flatMap(OpsPage::read), wanted.equals(READABLE_REPORT) ? TEXT : JSON);
    }

    private Optional<Path> file(LastRun run, String wanted) {
        boolean isKnown = wanted.equals(run.kind().file())
                || run.kind() == LastRun.Kind.GAME_DAY && wanted.equals(READABLE_REPORT);
        return config.ops()
                .evidenceDir()
                .filter(directory -> isKnown)
                .map(directory -> directory
                        .resolve(run.kind().directory())
                        .resolve(run.directory())
                        .resolve(wanted));
    }

    private static Optional<Buffer> read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_FILE_SIZE_BYTES + 1);
            return bytes.length > MAX_FILE_SIZE_BYTES ? Optional.empty() : Optional.of(Buffer.buffer(bytes));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static void sendOrNotFound(RoutingContext context, Optional<Buffer> body, String type) {
        if (body.isPresent()) {
            send(context, 200, type, body.get());
        } else {
            send(context, 404, TEXT, Buffer.buffer("There is nothing at this path\n"));
        }
    }

    private static void send(RoutingContext context, int status, String type, Buffer body) {
        HttpServerResponse response = context.response();
        response.setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, type)
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("Content-Security-Policy", POLICY)
                .putHeader("Cross-Origin-Resource-Policy", "same-origin")
                .end(body);
    }
}
