// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** As much of PromQL as it takes to find the metrics of an expression. */
public final class PromQl {
    private static final Pattern NAMES = Pattern.compile("__name__ *=~? *\"([^\"]*)\"");
    private static final Pattern LABELS = Pattern.compile("\\{[^}]*}|\\[[^\\]]*]|\"[^\"]*\"");
    private static final Pattern GROUPING =
            Pattern.compile("\\b(by|without|on|ignoring|group_left|group_right) *\\([^)]*\\)");
    private static final Pattern IDENTIFIER =
            Pattern.compile("(?<![A-Za-z0-9_:.])[A-Za-z_:][A-Za-z0-9_:]*(?! *\\()\\b");
    private static final Set<String> WORDS = Set.of(
            "and", "or", "unless", "bool", "by", "without", "on", "ignoring", "group_left", "group_right", "offset");

    private PromQl() {}

    /** Also of those that are chosen by a pattern of alternatives. */
    public static Set<String> metrics(String expression) {
        Set<String> metrics = new TreeSet<>();
        Matcher names = NAMES.matcher(expression);
        while (names.find()) {
            metrics.addAll(List.of(names.group(1).split("\\|", -1)));
        }
        String rest =
                GROUPING.matcher(LABELS.matcher(expression).replaceAll("")).replaceAll("");
        Matcher identifier = IDENTIFIER.matcher(rest);
        while (identifier.find()) {
            metrics.add(identifier.group());
        }
        metrics.removeAll(WORDS);
        return metrics;
    }
}
