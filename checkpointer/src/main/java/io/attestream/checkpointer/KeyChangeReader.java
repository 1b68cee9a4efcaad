// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyStep;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/** Where the changes of keys lie whose digests epochs log. */
interface KeyChangeReader {
    /** Of a reader that has no object store. */
    KeyChangeReader NONE = (name, number) -> {
        throw new IOException("it is in the object store, which was not named");
    };

    /**
     * The bytes of a change; the caller holds them against the digest that was logged.
     *
     * @param number of the change
     */
    byte[] read(String name, int number) throws IOException;

    /** From the object of its name, or, if that was lost, from the step that proves it. */
    static KeyChangeReader of(ObjectStore store) {
        return (name, number) -> {
            Optional<byte[]> object = store.get(name);
            if (object.isPresent() && isNamed(object.get(), name)) {
                return object.get();
            }
            Optional<byte[]> step = store.get(KeyStep.name(number));
            if (step.isEmpty()) {
                throw new IOException(
                        "object " + name + " is missing or damaged, and so is " + KeyStep.name(number)
                                + ": name the file that has it in attestream.ledger.key-changes-file, or put it back from a copy of the store");
            }
            try {
                return KeyStep.parse(step.get()).change();
            } catch (InvalidFormat e) {
                throw new IOException("objects " + name + " and " + KeyStep.name(number) + " are damaged", e);
            }
        };
    }

    /** From those the operator gave, if the store does not have it. */
    default KeyChangeReader or(Optional<KeyChanges> given) {
        return (name, number) -> {
            try {
                return read(name, number);
            } catch (IOException e) {
                return given.stream()
                        .flatMap(file -> file.changes().stream())
                        .filter(change -> change.name().equals(name))
                        .findFirst()
                        .orElseThrow(() -> e)
                        .encode();
            }
        };
    }

    private static boolean isNamed(byte[] object, String name) {
        try {
            return KeyChange.parse(object).name().equals(name);
        } catch (InvalidFormat e) {
            LoggerFactory.getLogger(KeyChangeReader.class)
                    .error("ALARM: object {} is damaged: {}", name, e.getMessage());
            return false;
        }
    }
}
