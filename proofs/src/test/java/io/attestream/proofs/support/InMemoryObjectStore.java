// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** Objects in a map, for tests that change them thousands of times. Not thread-safe. */
public final class InMemoryObjectStore implements ObjectStore {
    private final TreeMap<String, byte[]> objects = new TreeMap<>();

    @Override
    public Optional<byte[]> get(String name) {
        return Optional.ofNullable(objects.get(name));
    }

    @Override
    public Optional<byte[]> get(String name, long offset, int length) throws IOException {
        byte[] object = objects.get(name);
        if (object != null && offset > object.length - length) {
            throw new TooShortException("object " + name + " ends before " + (offset + length));
        }
        return Optional.ofNullable(object).map(bytes -> Arrays.copyOfRange(bytes, (int) offset, (int) offset + length));
    }

    @Override
    public PutResult putIfAbsent(String name, byte[] bytes) {
        byte[] there = objects.putIfAbsent(name, bytes);
        if (there == null) {
            return new PutResult.Created();
        }
        return Arrays.equals(there, bytes) ? new PutResult.SameBytes() : new PutResult.DifferentBytes();
    }

    @Override
    public void replace(String name, byte[] bytes) {
        objects.put(name, bytes);
    }

    @Override
    public void delete(String name) {
        objects.remove(name);
    }

    @Override
    public List<String> list(String prefix) {
        return objects.keySet().stream().filter(name -> name.startsWith(prefix)).toList();
    }
}
