// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Objectives and runbooks as they were when this was built: of the same version as the services, and there without a network. */
public final class Runbooks {
    private static final String DIRECTORY = "/runbooks/";
    private static final String PAGE = ".md";

    private Runbooks() {}

    /** Names of all pages without {@code .md}; those of alerts have the alert's, or its objective's. */
    public static List<String> names() {
        return files().stream()
                .filter(file -> file.endsWith(PAGE))
                .map(file -> file.substring(0, file.length() - PAGE.length()))
                .toList();
    }

    /** A page in Markdown; empty if there is none of this name. */
    public static Optional<String> page(String name) {
        return names().contains(name) ? Optional.of(text(name + PAGE)) : Optional.empty();
    }

    /** All objectives of {@code runbooks/slo}, by the names of their files. */
    public static List<Slo> objectives() {
        List<Slo> slos = new ArrayList<>();
        for (String file : files()) {
            if (file.startsWith("slo/")) {
                try {
                    slos.add(SloReader.read(file, text(file)));
                } catch (InvalidSlo e) {
                    throw new IllegalStateException("a build does not pass with it", e);
                }
            }
        }
        return slos;
    }

    private static List<String> files() {
        return text("index")
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .sorted()
                .toList();
    }

    private static String text(String file) {
        try (InputStream in = Runbooks.class.getResourceAsStream(DIRECTORY + file)) {
            if (in == null) {
                throw new IllegalStateException("not in the jar: " + DIRECTORY + file);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
