// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.support.Golden;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/entry-format.md shows what the golden files have. */
class EntryFormatPageTest {
    private static final Pattern EXAMPLE = Pattern.compile(
            "<!-- golden (?<file>[\\w.-]+)(?:, first (?<first>\\d+) bytes)?(?:, (?<form>\\w+))? -->\n```(?:json)?\n(?<shown>.*?)```\n",
            Pattern.DOTALL);

    /** An example of the page. */
    record Example(String file, byte[] golden, String form, String shown) {
        @Override
        public String toString() {
            return file;
        }
    }

    static List<Example> examples() throws Exception {
        return EXAMPLE.matcher(page())
                .results()
                .map(EntryFormatPageTest::example)
                .toList();
    }

    private static Example example(MatchResult match) {
        byte[] golden = Golden.bytes(match.group(1));
        String first = match.group(2);
        return new Example(
                match.group(1),
                first == null ? golden : Arrays.copyOf(golden, Integer.parseInt(first)),
                match.group(3) == null ? "verbatim" : match.group(3),
                match.group(4));
    }

    @ParameterizedTest
    @MethodSource("examples")
    void showsTheBytesOfTheGoldenFile(Example example) throws Exception {
        switch (example.form()) {
            case "verbatim" -> {
                String golden = new String(example.golden(), StandardCharsets.UTF_8);
                assertThat(example.shown()).isEqualTo(golden.endsWith("\n") ? golden : golden + "\n");
            }
            case "reformatted" ->
                assertThat(Jcs.encode(Json.parse(example.shown().getBytes(StandardCharsets.UTF_8))))
                        .isEqualTo(example.golden());
            case "hexadecimal" -> assertThat(example.shown()).isEqualTo(hexadecimal(example.golden()));
            default -> throw new AssertionError("unknown form " + example.form());
        }
    }

    @Test
    void showsOrNamesEveryGoldenFile() throws Exception {
        Path golden = Path.of(EntryFormatPageTest.class
                        .getResource("/golden/keys-v1.txt")
                        .toURI())
                .resolveSibling("");
        String page = page();
        try (Stream<Path> files = Files.list(golden)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .allSatisfy(file -> assertThat(page).contains(file));
        }
        // and every marker of an example is one that was compared
        Matcher markers = Pattern.compile("<!-- golden ").matcher(page);
        assertThat(markers.results()).hasSameSizeAs(examples());
    }

    @Test
    void namesEveryCheckOfABundle() throws Exception {
        List<String> names = Arrays.stream(BundleVerifier.class.getFields())
                .filter(field -> Modifier.isStatic(field.getModifiers()) && field.getType() == String.class)
                .map(EntryFormatPageTest::valueOf)
                .toList();
        assertThat(names).hasSize(11);
        String page = page();
        assertThat(names).allSatisfy(name -> assertThat(page).contains("| `" + name + "` |"));
    }

    private static String valueOf(Field field) {
        try {
            return (String) field.get(null);
        } catch (IllegalAccessException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private static String page() throws Exception {
        return Files.readString(Path.of(System.getProperty("attestream.home"), "docs", "entry-format.md"));
    }

    /** Sixteen bytes a line: position, bytes, and those that are printable ASCII. */
    private static String hexadecimal(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int from = 0; from < bytes.length; from += 16) {
            StringBuilder hex = new StringBuilder();
            StringBuilder ascii = new StringBuilder();
            for (int i = from; i < Math.min(from + 16, bytes.length); i++) {
                hex.append(hex.isEmpty() ? "" : " ").append(String.format("%02x", bytes[i]));
                ascii.append(bytes[i] >= 32 && bytes[i] < 127 ? (char) bytes[i] : '.');
            }
            text.append(String.format("%04x  %-47s  %s", from, hex, ascii).stripTrailing())
                    .append('\n');
        }
        return text.toString();
    }
}
