// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonBoolean;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What came of fuzzing.
 *
 * @param tree of before it began
 * @param secondsPerTarget that each target was given
 * @param known how many targets there are
 */
record FuzzReport(FuzzedTree tree, Instant endedAt, long secondsPerTarget, int known, List<Run> runs) {
    private static final Pattern EXECUTIONS = Pattern.compile("stat::number_of_executed_units:\\s+(\\d+)");

    /**
     * Of one target.
     *
     * @param good whether the fuzzer ended well
     * @param log what it said
     */
    record Run(String target, boolean good, String log) {
        /** Inputs that were tried; empty if the fuzzer did not come to say. */
        OptionalLong executions() {
            Matcher found = EXECUTIONS.matcher(log);
            return found.find() ? OptionalLong.of(Long.parseLong(found.group(1))) : OptionalLong.empty();
        }

        /** A fuzzer that tried nothing has shown nothing. */
        boolean isShown() {
            return good && executions().orElse(0) > 0;
        }
    }

    List<String> failed() {
        return runs.stream().filter(run -> !run.isShown()).map(Run::target).toList();
    }

    int findings() {
        return failed().size();
    }

    /** RFC 8785. */
    byte[] json() {
        Map<String, JsonValue> report = new TreeMap<>();
        report.put("v", new JsonInteger(1));
        report.put("commit", new JsonString(tree.commit()));
        report.put("treeClean", new JsonBoolean(tree.isClean()));
        report.put("endedAt", new JsonString(endedAt.toString()));
        report.put("secondsPerTarget", new JsonInteger(secondsPerTarget));
        report.put("complete", new JsonBoolean(runs.size() == known));
        report.put("findings", new JsonInteger(findings()));
        report.put(
                "targets", new JsonArray(runs.stream().map(FuzzReport::members).toList()));
        return Jcs.encode(new JsonObject(report));
    }

    private static JsonValue members(Run run) {
        Map<String, JsonValue> members = new TreeMap<>();
        members.put("target", new JsonString(run.target()));
        members.put("executions", new JsonInteger(run.executions().orElse(0)));
        members.put("good", new JsonBoolean(run.isShown()));
        return new JsonObject(members);
    }
}
