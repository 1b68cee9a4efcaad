// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The real checkpointer with something happening to it at one step of the publish path. System properties: {@code at}, the
 * step; {@code from}, the first epoch it counts for; {@code then}, {@code die} (as by SIGKILL) or {@code wait} (until the
 * file {@code go} exists); {@code reached}, a file made when it gets there.
 */
public final class CrashMain {
    static final int DIED = 137;

    private CrashMain() {}

    public static void main(String[] args) {
        PublishStep at = PublishStep.valueOf(System.getProperty("at"));
        long from = Long.getLong("from");
        System.exit(Main.run((step, epoch) -> {
            if (step == at && epoch >= from) {
                happen();
            }
        }));
    }

    private static void happen() {
        try {
            Path reached = Path.of(System.getProperty("reached"));
            if (Files.exists(reached)) {
                return;
            }
            Files.createFile(reached);
            if (System.getProperty("then").equals("die")) {
                Runtime.getRuntime().halt(DIED);
            }
            Path go = Path.of(System.getProperty("go"));
            while (!Files.exists(go)) {
                Thread.onSpinWait();
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
