// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the services export of their own, by the page that is made of a running stack (docs/metrics.md). */
final class ExportedMetrics {
    private static final String PAGE = "metrics.md";
    /** Recording rules of others have colons, and a choice of names is a pattern. */
    private static final Pattern OWN = Pattern.compile("attestream_[a-z0-9_]+");

    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z0-9_]+)` \\| ([a-z]+) \\|");
    private static final Set<String> NAMES = names();

    private ExportedMetrics() {}

    /** Those of an expression that are named as ours and are not: rules of them would be silent for ever. */
    static Set<String> unknown(String expression) {
        Set<String> unknown = new TreeSet<>(PromQl.metrics(expression));
        unknown.removeIf(name -> !OWN.matcher(name).matches() || NAMES.contains(name));
        return unknown;
    }

    private static Set<String> names() {
        Set<String> names = new TreeSet<>();
        Matcher row = ROW.matcher(page());
        while (row.find()) {
            String name = row.group(1);
            names.add(name);
            if (row.group(2).equals("histogram") || row.group(2).equals("summary")) {
                names.addAll(Set.of(name + "_bucket", name + "_count", name + "_sum"));
            }
        }
        if (names.isEmpty()) {
            throw new IllegalStateException(PAGE + " names no metric");
        }
        return names;
    }

    private static String page() {
        try (InputStream page = ExportedMetrics.class.getResourceAsStream(PAGE)) {
            if (page == null) {
                throw new IllegalStateException("the build has put no " + PAGE + " beside this class");
            }
            return new String(page.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
