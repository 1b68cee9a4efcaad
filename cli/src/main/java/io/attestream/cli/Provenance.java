// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Statement;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Who built files, and of what: the part of SLSA provenance v1 that is used here.
 *
 * @param builder URI of who built, such as a workflow at a tag
 * @param repository URI of the sources
 * @param commit of the sources, 40 or 64 lower-case hexadecimal digits
 */
record Provenance(String builder, String repository, String commit) {
    static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}([0-9a-f]{24})?");

    private static final String TYPE = "https://slsa.dev/provenance/v1";
    private static final String BUILD_TYPE =
            "https://github.com/attestream/attestream/blob/main/docs/releases.md#what-a-release-is";

    /** As a statement on files. */
    Statement on(Map<String, String> digests) {
        JsonValue source = object(Map.of(
                "uri", text("git+" + repository + "@" + commit),
                "digest", object(Map.of("gitCommit", text(commit)))));
        JsonValue definition = object(Map.of(
                "buildType", text(BUILD_TYPE),
                "externalParameters", object(Map.of("repository", text(repository))),
                "resolvedDependencies", new JsonArray(List.of(source))));
        JsonValue run = object(Map.of("builder", object(Map.of("id", text(builder)))));
        return new Statement(digests, TYPE, new JsonObject(Map.of("buildDefinition", definition, "runDetails", run)));
    }

    /** Reads a statement that was verified. */
    static Provenance of(Statement statement) throws InvalidFormat {
        if (!statement.predicateType().equals(TYPE)) {
            throw new InvalidFormat("predicateType", "must be " + TYPE + ", is " + statement.predicateType());
        }
        JsonObject definition = statement.predicate().object("buildDefinition");
        if (!definition.string("buildType").equals(BUILD_TYPE)) {
            throw new InvalidFormat("buildType", "must be " + BUILD_TYPE);
        }
        List<String> commits = new ArrayList<>();
        for (JsonValue dependency : definition.array("resolvedDependencies")) {
            if (dependency instanceof JsonObject source
                    && source.object("digest").get("gitCommit") != null) {
                commits.add(source.object("digest").string("gitCommit"));
            }
        }
        if (commits.size() != 1 || !COMMIT.matcher(commits.get(0)).matches()) {
            throw new InvalidFormat("resolvedDependencies", "must name one commit, name " + commits);
        }
        return new Provenance(
                statement.predicate().object("runDetails").object("builder").string("id"),
                definition.object("externalParameters").string("repository"),
                commits.get(0));
    }

    private static JsonValue text(String value) {
        return new JsonString(value);
    }

    private static JsonValue object(Map<String, JsonValue> members) {
        return new JsonObject(members);
    }
}
