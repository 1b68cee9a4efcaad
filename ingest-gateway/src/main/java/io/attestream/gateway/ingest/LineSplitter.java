// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Cuts a stream of bytes into lines ending in LF or CRLF. Holds at most one line; of a line that is too long nothing is
 * held, and reading goes on behind it. Not thread-safe.
 */
final class LineSplitter {
    private static final int START_SIZE_BYTES = 4_096;

    private final int maxLineBytes;
    private final Consumer<byte[]> onLine;
    private final Runnable onTooLong;
    private byte[] held = new byte[START_SIZE_BYTES];
    private int heldBytes;
    private boolean skipping;

    /** @param onLine gets each line that is not blank, without its end */
    LineSplitter(int maxLineBytes, Consumer<byte[]> onLine, Runnable onTooLong) {
        this.maxLineBytes = maxLineBytes;
        this.onLine = onLine;
        this.onTooLong = onTooLong;
    }

    void add(byte[] chunk) {
        int from = 0;
        for (int i = 0; i < chunk.length; i++) {
            if (chunk[i] == '\n') {
                hold(chunk, from, i);
                endLine();
                from = i + 1;
            }
        }
        hold(chunk, from, chunk.length);
    }

    /** The last line needs no line end. */
    void end() {
        endLine();
    }

    private void hold(byte[] chunk, int from, int to) {
        int more = to - from;
        if (skipping || more == 0) {
            return;
        }
        if ((long) heldBytes + more > maxLineBytes) {
            skipping = true;
            heldBytes = 0;
            return;
        }
        if (heldBytes + more > held.length) {
            int size = Math.min(maxLineBytes, Math.max(heldBytes + more, held.length * 2));
            held = Arrays.copyOf(held, size);
        }
        System.arraycopy(chunk, from, held, heldBytes, more);
        heldBytes += more;
    }

    private void endLine() {
        if (skipping) {
            skipping = false;
            onTooLong.run();
            return;
        }
        int length = heldBytes > 0 && held[heldBytes - 1] == '\r' ? heldBytes - 1 : heldBytes;
        heldBytes = 0;
        if (!isBlank(length)) {
            onLine.accept(Arrays.copyOf(held, length));
        }
    }

    private boolean isBlank(int length) {
        for (int i = 0; i < length; i++) {
            if (held[i] != ' ' && held[i] != '\t') {
                return false;
            }
        }
        return true;
    }
}
