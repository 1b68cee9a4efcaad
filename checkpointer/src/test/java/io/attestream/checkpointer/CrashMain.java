// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The real checkpointer with something happening to it at one step of the publish path. System properties: {@code at}, the
 * step; {@code from}, the first epoch it counts for; {@code then}, {@code die} (as by SIGKILL) or {@code wait} (until the
 * file {@code go} exists); {@code reached}, a file made when it gets there, with the epoch in it; {@code signed}, a file for the
 * note of the first epoch from {@code from} on that it signs.
 */
public final class CrashMain {
    static final int DIED = 137;

    private CrashMain() {}

    public static void main(String[] args) {
        PublishStep at = PublishStep.valueOf(System.getProperty("at"));
        long from = Long.getLong("from");
        System.exit(Main.run(List.of(), new StepListener() {
            @Override
            public void reached(PublishStep step, long epoch) {
                if (step == at && epoch >= from) {
                    happen(epoch);
                }
            }

            @Override
            public void signed(long epoch, String note) {
                if (epoch >= from) {
                    writeOnce("signed", note);
                }
            }
        }));
    }

    /** False if the file was there already. */
    private static boolean writeOnce(String property, String text) {
        try {
            Path file = Path.of(System.getProperty(property));
            if (Files.exists(file)) {
                return false;
            }
            Files.writeString(file, text);
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void happen(long epoch) {
        if (!writeOnce("reached", Long.toString(epoch))) {
            return;
        }
        if (System.getProperty("then").equals("die")) {
            Runtime.getRuntime().halt(DIED);
        }
        Path go = Path.of(System.getProperty("go"));
        while (!Files.exists(go)) {
            Thread.onSpinWait();
        }
    }
}
