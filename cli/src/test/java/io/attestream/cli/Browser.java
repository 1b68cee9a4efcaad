// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Debian's Chromium without a window. It can reach loopback alone. */
final class Browser implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ChromeDriver driver;
    private final Path pictures;

    /**
     * @param profile directory of the browser's own
     * @param pictures directory for screenshots
     */
    Browser(Path profile, Path pictures) throws IOException {
        this.pictures = Files.createDirectories(pictures);
        ChromeOptions options = new ChromeOptions()
                .setBinary("/usr/bin/chromium")
                .addArguments(
                        "--headless=new",
                        // In CI everything is root, whom Chromium refuses a sandbox; all it opens here is our own page.
                        "--no-sandbox",
                        "--disable-dev-shm-usage",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--no-first-run",
                        "--hide-scrollbars",
                        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                        "--user-data-dir=" + profile);
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        logs.enable(LogType.PERFORMANCE, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(Path.of("/usr/bin/chromedriver").toFile())
                .usingAnyFreePort()
                .build();
        driver = new ChromeDriver(service, options);
        driver.manage().timeouts().pageLoadTimeout(PATIENCE).scriptTimeout(PATIENCE);
        size(1280, 900, 1);
        // Instead of the browser's own page of new tabs.
        driver.get("about:blank");
    }

    void open(URI page) {
        driver.get(page.toString());
    }

    /** In CSS pixels. */
    void size(int width, int height, int scale) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", scale, "mobile", width < 600));
    }

    /** @param theme {@code light} or {@code dark} */
    void theme(String theme) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", theme))));
    }

    String text(String selector) {
        return driver.findElement(By.cssSelector(selector)).getText();
    }

    /** What a JavaScript expression gives. */
    Object value(String expression) {
        return driver.executeScript("return " + expression);
    }

    WebElement focused() {
        return driver.switchTo().activeElement();
    }

    /** The whole page, however long. */
    void picture(String name) throws IOException {
        Object shot = driver.executeCdpCommand(
                        "Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true))
                .get("data");
        Files.write(pictures.resolve(name + ".png"), OutputType.BYTES.convertFromBase64Png(String.valueOf(shot)));
    }

    /** What axe finds, all of its rules; empty if nothing. */
    List<String> violations() throws IOException {
        try (InputStream script = Browser.class.getResourceAsStream("/axe.min.js")) {
            driver.executeScript(new String(script.readAllBytes(), StandardCharsets.UTF_8));
        }
        Object found = driver.executeAsyncScript("const done = arguments[arguments.length - 1];"
                + "axe.run(document, {resultTypes: ['violations']}).then(r => done(JSON.stringify(r.violations)),"
                + " e => done(JSON.stringify([{id: 'axe', help: String(e), nodes: []}])))");
        List<String> violations = new ArrayList<>();
        for (JsonNode violation : JSON.readTree(String.valueOf(found))) {
            violation
                    .path("nodes")
                    .forEach(node -> violations.add(violation.path("id").asText() + ": "
                            + violation.path("help").asText() + ": " + node.path("target") + " "
                            + node.path("failureSummary").asText()));
            if (violation.path("nodes").isEmpty()) {
                violations.add(violation.path("id").asText() + ": "
                        + violation.path("help").asText());
            }
        }
        return violations;
    }

    /** What the console got since it was asked last: errors of scripts, refusals by the policy, failed requests. */
    List<String> console() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(entry -> entry.getLevel() + " " + entry.getMessage())
                .toList();
    }

    /** What was asked for since this was asked last. */
    List<URI> requests() throws IOException {
        List<URI> requests = new ArrayList<>();
        for (var entry : driver.manage().logs().get(LogType.PERFORMANCE).getAll()) {
            JsonNode message = JSON.readTree(entry.getMessage()).path("message");
            if (message.path("method").asText().equals("Network.requestWillBeSent")) {
                requests.add(URI.create(message.at("/params/request/url").asText()));
            }
        }
        return requests;
    }

    @Override
    public void close() {
        driver.quit();
    }
}
