// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** A compose file and the Dockerfile of its images, as far as tests ask for them. Anchors and merges are resolved. */
final class Compose {
    static final Path DEPLOY = Script.HOME.resolve("deploy");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DOCKERFILE = DEPLOY.resolve("images/Dockerfile");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\$|\\$\\{([A-Z_]+)(:[?-]([^}]*))?}");

    private final JsonNode root;

    private Compose(JsonNode root) {
        this.root = root;
    }

    /** That of the repository. */
    static Compose read() throws IOException {
        return new Compose(yaml(Files.readString(DEPLOY.resolve("docker-compose.yml"))));
    }

    static JsonNode yaml(String text) {
        return JSON.valueToTree(new Yaml(new SafeConstructor(new LoaderOptions())).load(text));
    }

    /** As this, but a member of a service has the value, or is not there if that is null. */
    Compose with(String service, String member, JsonNode value) {
        JsonNode copy = root.deepCopy();
        ObjectNode changed = (ObjectNode) copy.at("/services/" + service);
        if (value.isNull()) {
            changed.remove(member);
        } else {
            changed.set(member, value);
        }
        return new Compose(copy);
    }

    List<Service> services() {
        List<Service> services = new ArrayList<>();
        root.path("services")
                .properties()
                .forEach(entry -> services.add(new Service(entry.getKey(), entry.getValue())));
        return services;
    }

    Service service(String name) {
        return services().stream()
                .filter(service -> service.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    JsonNode root() {
        return root;
    }

    /** Whether others wait for its end: it does what it does once. */
    boolean isAwaitedToEnd(String service) {
        return services().stream()
                .anyMatch(other -> other.node()
                        .at("/depends_on/" + service + "/condition")
                        .asText()
                        .equals("service_completed_successfully"));
    }

    /** One service. */
    record Service(String name, JsonNode node) {
        String image() {
            return node.path("image").asText();
        }

        /** The stage of the Dockerfile it is built by; empty if its image is somebody else's. */
        String target() {
            return node.path("build").path("target").asText();
        }

        /** As it stands there, variables of {@code .env} and all. */
        Map<String, String> environment() {
            Map<String, String> environment = new LinkedHashMap<>();
            node.path("environment")
                    .properties()
                    .forEach(entry ->
                            environment.put(entry.getKey(), entry.getValue().asText()));
            return environment;
        }

        List<String> list(String member) {
            return strings(node.path(member));
        }

        List<String> healthCheck() {
            return strings(node.path("healthcheck").path("test"));
        }
    }

    static List<String> strings(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asText)
                .toList();
    }

    /**
     * Puts in what {@code .env} says, by the rules of compose.
     *
     * @throws IllegalArgumentException if a variable is empty that must not be
     */
    static String interpolate(String text, Map<String, String> variables) {
        return VARIABLE.matcher(text).replaceAll(variable -> {
            if (variable.group().equals("$$")) {
                return Matcher.quoteReplacement("$");
            }
            String value = variables.getOrDefault(variable.group(1), "");
            if (value.isEmpty() && variable.group(2) != null) {
                if (variable.group(2).startsWith(":?")) {
                    throw new IllegalArgumentException(variable.group(1) + ": " + variable.group(3));
                }
                value = variable.group(3);
            }
            return Matcher.quoteReplacement(value);
        });
    }

    /** Of a file such as {@code .env}: names and values, which may be quoted. */
    static Map<String, String> variables(Path file) throws IOException {
        Map<String, String> variables = new HashMap<>();
        for (String line : Files.readAllLines(file)) {
            if (!line.startsWith("#")) {
                String[] parts = line.split("=", 2);
                variables.put(parts[0], parts[1].replaceAll("^'(.*)'$", "$1"));
            }
        }
        return variables;
    }

    /**
     * How a stage of the Dockerfile becomes a process.
     *
     * @param copied directory of the repository that is {@code /app}
     */
    record Image(String copied, List<String> entryPoint) {}

    static Image image(String target) throws IOException {
        Matcher stage = Pattern.compile(
                        "FROM runtime AS " + target + "\\nCOPY (\\S+) /app\\n(?:#.*\\n)?ENTRYPOINT (\\[.*])\\n")
                .matcher(Files.readString(DOCKERFILE));
        if (!stage.find()) {
            throw new IllegalArgumentException("no stage " + target + " in " + DOCKERFILE);
        }
        return new Image(stage.group(1), strings(JSON.readTree(Objects.requireNonNull(stage.group(2)))));
    }

    /** Images that stages of the Dockerfile begin with. */
    static List<String> baseImages() throws IOException {
        return Pattern.compile("(?m)^FROM (\\S+) AS \\S+$")
                .matcher(Files.readString(DOCKERFILE))
                .results()
                .map(from -> from.group(1))
                .filter(image -> !image.equals("runtime"))
                .toList();
    }
}
