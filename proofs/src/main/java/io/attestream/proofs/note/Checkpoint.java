// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.util.Arrays;
import java.util.List;

/**
 * A tree head as the text of a note (C2SP tlog-checkpoint v1.0.0).
 *
 * @param origin which log
 * @param extensions further lines; this project writes none
 */
public record Checkpoint(String origin, TreeSize size, Hash root, List<String> extensions) {
    public Checkpoint {
        if (!isLine(origin)) {
            throw new IllegalArgumentException("an origin is one non-empty line");
        }
        extensions = List.copyOf(extensions);
        if (!extensions.stream().allMatch(Checkpoint::isLine)) {
            throw new IllegalArgumentException("an extension is one non-empty line");
        }
    }

    public Checkpoint(String origin, TreeSize size, Hash root) {
        this(origin, size, root, List.of());
    }

    /** The note text, with its final newline. */
    public String text() {
        StringBuilder text = new StringBuilder()
                .append(origin)
                .append('\n')
                .append(size)
                .append('\n')
                .append(root.base64())
                .append('\n');
        extensions.forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }

    public static Checkpoint parse(String text) throws InvalidFormat {
        if (!text.endsWith("\n")) {
            throw new InvalidFormat("checkpoint", "must end in a newline");
        }
        String[] lines = text.substring(0, text.length() - 1).split("\n", -1);
        if (lines.length < 3) {
            throw new InvalidFormat("checkpoint", "must have lines for origin, size and root");
        }
        for (int i = 0; i < lines.length; i++) {
            if (!isLine(lines[i])) {
                throw new InvalidFormat("checkpoint", "line " + (i + 1) + " must not be empty");
            }
        }
        return new Checkpoint(
                lines[0],
                TreeSize.parse(lines[1]),
                Hash.ofBase64(lines[2], "root"),
                Arrays.asList(lines).subList(3, lines.length));
    }

    private static boolean isLine(String text) {
        return !text.isEmpty() && text.indexOf('\n') < 0;
    }
}
