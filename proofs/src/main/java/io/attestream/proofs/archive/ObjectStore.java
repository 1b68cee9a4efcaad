// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Immutable objects by name; only what was damaged, or has payloads that were erased, is ever {@linkplain #replace replaced},
 * only what is in a pack {@linkplain #delete deleted}. Names are relative paths of {@code [A-Za-z0-9._-]} segments.
 *
 * <p>An implementation MUST return from {@link #putIfAbsent} only when the object survives a crash, and MUST NOT ever show a
 * part of an object. Thread-safe.
 */
public interface ObjectStore {
    /** The object; empty if there is none. */
    Optional<byte[]> get(String name) throws IOException;

    /** An object ends before the part of it that was asked for: it is damaged, the store is not. */
    final class TooShortException extends IOException {
        public TooShortException(String message) {
            super(message);
        }
    }

    /**
     * A part of the object; empty if there is no object.
     *
     * @throws TooShortException if the object ends before {@code offset + length}
     */
    Optional<byte[]> get(String name, long offset, int length) throws IOException;

    /** Creates the object, or says what is there already. Never overwrites. */
    PutResult putIfAbsent(String name, byte[] bytes) throws IOException;

    /**
     * Puts bytes in the place of an object that was shown not to be what its name says, or may be rewritten, or creates it. A reader sees the one or
     * the other, whole.
     */
    void replace(String name, byte[] bytes) throws IOException;

    /** Removes an object that others have taken the place of; nothing happens if there is none. */
    void delete(String name) throws IOException;

    /** Names that begin with the prefix, sorted. */
    List<String> list(String prefix) throws IOException;

    /** What became of a put. */
    sealed interface PutResult {
        /** The object was created. */
        record Created() implements PutResult {}

        /** An object with equal bytes was there. */
        record SameBytes() implements PutResult {}

        /** An object with other bytes was there, and still is. */
        record DifferentBytes() implements PutResult {}
    }
}
