// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A page of {@code runbooks/}: its sections, and the commands they give. */
final class Runbook {
    private static final Pattern SECTION = Pattern.compile("## ([A-Za-z]+)\\n(.*?)(?=\\n## |\\z)", Pattern.DOTALL);
    private static final Pattern BLOCK = Pattern.compile("```sh\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9-]+[.]md");
    /** As commands in pages name it. */
    static final String DATA = "./attestream-data";

    private final String text;

    private Runbook(String text) {
        this.text = text;
    }

    static Runbook read(Path page) {
        return new Runbook(LocalFiles.readText(page));
    }

    /**
     * The page of an alert.
     *
     * @param home of the installation
     * @param url of the alert's annotation; its last part names the page
     */
    static Path page(Path home, URI url) {
        String path = String.valueOf(url.getPath());
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(url + " names no page of runbooks/");
        }
        return home.resolve("runbooks").resolve(name);
    }

    /**
     * The commands of a section, in order, to be run in the directory of the installation.
     *
     * @param data directory of the cluster, in place of the one pages name
     */
    List<String> commands(String section, Path data) {
        return blocks(section, data).stream().flatMap(List::stream).toList();
    }

    /** As {@link #commands}, as the page groups them. */
    List<List<String>> blocks(String section, Path data) {
        List<List<String>> blocks = new ArrayList<>();
        Matcher sections = SECTION.matcher(text);
        while (sections.find()) {
            if (sections.group(1).equals(section)) {
                BLOCK.matcher(sections.group(2))
                        .results()
                        .forEach(block -> blocks.add(block.group(1)
                                .replace(DATA, data.toString())
                                .lines()
                                .toList()));
            }
        }
        return blocks;
    }
}
