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
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The key history as the object store has it: one object a change, made when the epoch was published that logs it. */
public final class StoredKeys {
    private static final Pattern STEP = Pattern.compile("keys/[0-9]{10}\\.step");
    private static final Pattern CHANGE = Pattern.compile("keys/[0-9]{10}-[0-9a-f]{64}\\.change");
    private static final int NUMBER_END = KeyChange.KEYS.length() + 10;

    private StoredKeys() {}

    /**
     * Whether there are changes without the step that proves them: they are still to be logged, or a step was lost.
     *
     * @param known how many changes somebody else knows of; their objects may be lost too
     */
    public static boolean lacksSteps(ObjectStore store, int known) throws IOException {
        Set<String> steps = numbers(names(store, STEP));
        return steps.size() < known || !steps.containsAll(numbers(names(store, CHANGE)));
    }

    private static Set<String> numbers(List<String> names) {
        return names.stream().map(name -> name.substring(0, NUMBER_END)).collect(Collectors.toSet());
    }

    private static List<String> names(ObjectStore store, Pattern kind) throws IOException {
        return store.list(KeyChange.KEYS).stream()
                .filter(name -> kind.matcher(name).matches())
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
