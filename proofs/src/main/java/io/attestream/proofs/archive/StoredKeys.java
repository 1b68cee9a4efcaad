// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.ledger.PublishedKeys;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The key history as the object store has it: one object a change, made when the epoch was published that logs it. */
public final class StoredKeys {
    private static final String STEP = ".step";
    private static final String CHANGE = ".change";

    private StoredKeys() {}

    /** Whether there are changes without the step that proves them: they are still to be logged, or a step was lost. */
    public static boolean lacksSteps(ObjectStore store) throws IOException {
        return names(store, CHANGE).size() > names(store, STEP).size();
    }

    private static List<String> names(ObjectStore store, String suffix) throws IOException {
        return store.list(KeyChange.KEYS).stream()
                .filter(name -> name.endsWith(suffix))
                .toList();
    }

    /**
     * All steps there are. Nothing of them is verified: {@link PublishedKeys#verify} does.
     *
     * @throws InvalidFormat if one cannot be read, or is missing before the last
     */
    public static PublishedKeys read(ObjectStore store, NoteVerifier first) throws IOException, InvalidFormat {
        List<KeyStep> steps = new ArrayList<>();
        List<String> names = names(store, STEP);
        for (int number = 1; number <= Math.min(names.size(), KeyChange.CHANGES_MAX); number++) {
            Optional<byte[]> object = store.get(KeyStep.name(number));
            if (object.isEmpty()) {
                throw new InvalidFormat(
                        KeyStep.name(number),
                        "is missing, and " + names.get(names.size() - 1)
                                + " is there. A checkpointer makes it again when it starts, or attestream restore objects");
            }
            try {
                steps.add(KeyStep.parse(object.get()));
            } catch (InvalidFormat e) {
                throw new InvalidFormat(KeyStep.name(number), String.valueOf(e.getMessage()));
            }
        }
        return new PublishedKeys(first.vkey(), steps);
    }
}
