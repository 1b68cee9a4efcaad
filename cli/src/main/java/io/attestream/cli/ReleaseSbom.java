// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.proofs.InvalidFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** A software bill of materials, CycloneDX as JSON: which jars there are in what is shipped, whose, and under which licence. */
final class ReleaseSbom {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** What the build makes itself, so that no repository of artifacts has it. All else has to be known to the build's SBOM. */
    private static final Pattern MADE_BY_THE_BUILD =
            Pattern.compile("(.*/)?(io\\.attestream\\.)?attestream-[^/]*\\.jar|.*/quarkus-run\\.jar"
                    + "|.*/quarkus/(generated|transformed)-bytecode\\.jar");

    private final ObjectNode root;

    private ReleaseSbom(ObjectNode root) {
        this.root = root;
    }

    static ReleaseSbom parse(byte[] json) throws InvalidFormat {
        try {
            if (JSON.readTree(json) instanceof ObjectNode root
                    && root.path("bomFormat").asText().equals("CycloneDX")
                    && root.path("components").isArray()) {
                return new ReleaseSbom(root);
            }
        } catch (IOException e) {
            throw new InvalidFormat("SBOM", "must be JSON: " + firstLine(e));
        }
        throw new InvalidFormat("SBOM", "must be CycloneDX as JSON, with components");
    }

    private static String firstLine(IOException e) {
        return e instanceof JsonProcessingException json
                ? json.getOriginalMessage()
                : String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    /** Bytes that depend on nothing but what it says. */
    byte[] encode() {
        DefaultIndenter lines = new DefaultIndenter("  ", "\n");
        DefaultPrettyPrinter printer =
                new DefaultPrettyPrinter().withObjectIndenter(lines).withArrayIndenter(lines);
        try {
            return (JSON.writer(printer).writeValueAsString(root) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Where it and the jars differ, each difference in words.
     *
     * @param jars SHA-256 of each, by its path in the archive
     */
    List<String> differences(Map<String, String> jars) {
        Set<String> shipped = Set.copyOf(jars.values());
        Set<String> listed = new HashSet<>();
        List<String> differences = new ArrayList<>();
        for (JsonNode component : root.path("components")) {
            String digest = sha256(component);
            if (digest.isEmpty()) {
                differences.add(name(component) + " has no SHA-256");
            } else if (!shipped.contains(digest)) {
                differences.add(name(component) + " is listed and not shipped");
            }
            listed.add(digest);
        }
        jars.forEach((path, digest) -> {
            if (!listed.contains(digest)) {
                differences.add(path + " is shipped and not listed");
            }
        });
        return differences;
    }

    /**
     * Licences that are not allowed, with who has them; a component of others has to have one at least. What has several may
     * be had under any of them.
     *
     * @param allowed SPDX identifiers, and names as components have them that have no identifier
     */
    List<String> licencesOutside(Set<String> allowed) {
        List<String> outside = new ArrayList<>();
        for (JsonNode component : root.path("components")) {
            Set<String> licences = licences(component);
            boolean ours =
                    MADE_BY_THE_BUILD.matcher(component.path("name").asText()).matches();
            if (!ours && licences.stream().noneMatch(allowed::contains)) {
                outside.add(name(component) + " is under " + (licences.isEmpty() ? "no licence" : licences));
            }
        }
        return outside;
    }

    private static Set<String> licences(JsonNode component) {
        Set<String> licences = new TreeSet<>();
        for (JsonNode choice : component.path("licenses")) {
            for (JsonNode text :
                    List.of(choice.at("/license/id"), choice.at("/license/name"), choice.path("expression"))) {
                if (text.isTextual()) {
                    licences.add(text.asText());
                }
            }
        }
        return licences;
    }

    /**
     * What the build's tool knows, made to say what is shipped: components that are not shipped go, jars that the build makes
     * itself come.
     *
     * @throws InvalidFormat if a jar of others is shipped that the build's tool does not know
     */
    ReleaseSbom of(Map<String, String> jars) throws InvalidFormat {
        ObjectNode made = root.deepCopy();
        ArrayNode components = (ArrayNode) made.path("components");
        Set<String> shipped = Set.copyOf(jars.values());
        Set<String> listed = new HashSet<>();
        for (Iterator<JsonNode> each = components.iterator(); each.hasNext(); ) {
            String digest = sha256(each.next());
            // The same bytes may be known as two artifacts: one is enough.
            if (!shipped.contains(digest) || !listed.add(digest)) {
                each.remove();
            }
        }
        for (Map.Entry<String, String> jar : firstPaths(jars).entrySet()) {
            if (!listed.contains(jar.getKey())) {
                if (!MADE_BY_THE_BUILD.matcher(jar.getValue()).matches()) {
                    throw new InvalidFormat(jar.getValue(), "is shipped, and the SBOM of the build does not know it");
                }
                components.add(file(jar.getValue(), jar.getKey()));
            }
        }
        keepRelations(made, components);
        return new ReleaseSbom(made);
    }

    /** One path for each digest: a jar may be there for several services. */
    private static Map<String, String> firstPaths(Map<String, String> jars) {
        Map<String, String> paths = new TreeMap<>();
        new TreeMap<>(jars).forEach((path, digest) -> paths.putIfAbsent(digest, path));
        return paths;
    }

    private static ObjectNode file(String path, String digest) {
        ObjectNode file = JSON.createObjectNode();
        file.put("type", "file").put("bom-ref", "file:" + digest).put("name", path);
        file.putArray("hashes").addObject().put("alg", "SHA-256").put("content", digest);
        return file;
    }

    private static void keepRelations(ObjectNode made, ArrayNode components) {
        Set<String> known =
                new HashSet<>(Set.of(made.at("/metadata/component/bom-ref").asText()));
        components.forEach(component -> known.add(component.path("bom-ref").asText()));
        for (Iterator<JsonNode> each = made.path("dependencies").iterator(); each.hasNext(); ) {
            JsonNode relation = each.next();
            if (!known.contains(relation.path("ref").asText())) {
                each.remove();
            } else {
                for (Iterator<JsonNode> on = relation.path("dependsOn").iterator(); on.hasNext(); ) {
                    if (!known.contains(on.next().asText())) {
                        on.remove();
                    }
                }
            }
        }
    }

    private static String sha256(JsonNode component) {
        for (JsonNode hash : component.path("hashes")) {
            if (hash.path("alg").asText().equals("SHA-256")) {
                return hash.path("content").asText();
            }
        }
        return "";
    }

    private static String name(JsonNode component) {
        for (String member : List.of("purl", "bom-ref", "name")) {
            if (component.path(member).isTextual()) {
                return component.path(member).asText();
            }
        }
        return "a component without a name";
    }
}
