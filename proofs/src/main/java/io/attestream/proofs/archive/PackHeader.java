// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.tree.Hash;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What both kinds of packs begin with: magic of 8 bytes, u32 length of the header, SHA-256 of the header, the header in canonical
 * JSON. The header has the SHA-256 of every block behind it, so a part of a pack is verified without the rest of it.
 *
 * @param json the header
 * @param digest its SHA-256
 * @param bodyAt where the first byte behind it is
 */
record PackHeader(JsonObject json, Hash digest, long bodyAt) {
    private static final int MAGIC_SIZE_BYTES = 8;
    private static final int PREFIX_SIZE_BYTES = MAGIC_SIZE_BYTES + 4 + Hash.SIZE_BYTES;
    private static final int MAX_SIZE_BYTES = 8 << 20;

    /** A stretch of the body. */
    record Block(Hash digest, int sizeBytes) {}

    /** All that is before the body. */
    static byte[] encode(String magic, byte[] header) {
        if (header.length > MAX_SIZE_BYTES) {
            throw new IllegalStateException("the header of a pack has at most 8 MiB, not " + header.length + " bytes");
        }
        return ByteBuffer.allocate(PREFIX_SIZE_BYTES + header.length)
                .put(magic.getBytes(StandardCharsets.US_ASCII))
                .putInt(header.length)
                .put(sha256(header).bytes())
                .put(header)
                .array();
    }

    /** Empty if there is no such object. */
    static Optional<PackHeader> read(ObjectStore store, String name, String magic) throws IOException, InvalidFormat {
        Optional<byte[]> prefix = get(store, name, 0, PREFIX_SIZE_BYTES);
        if (prefix.isEmpty()) {
            return Optional.empty();
        }
        ByteBuffer bytes = ByteBuffer.wrap(prefix.get());
        byte[] start = new byte[MAGIC_SIZE_BYTES];
        bytes.get(start);
        int size = bytes.getInt();
        byte[] digest = new byte[Hash.SIZE_BYTES];
        bytes.get(digest);
        if (!Arrays.equals(start, magic.getBytes(StandardCharsets.US_ASCII))) {
            throw new InvalidFormat(name, "has another magic than this format, version 1");
        }
        if (size < 1 || size > MAX_SIZE_BYTES) {
            throw new InvalidFormat(name, "has a header of " + size + " bytes, which must be 1 to 8 MiB");
        }
        byte[] header = part(store, name, PREFIX_SIZE_BYTES, size);
        if (!sha256(header).equals(Hash.of(digest))) {
            throw new InvalidFormat(
                    name, "has a header with digest " + sha256(header).base64() + ", not the one before it");
        }
        return Optional.of(
                new PackHeader(Jcs.parseCanonicalObject(header), Hash.of(digest), PREFIX_SIZE_BYTES + (long) size));
    }

    /** A block whose bytes have its digest. */
    static byte[] block(ObjectStore store, String name, long at, Block block) throws IOException, InvalidFormat {
        byte[] bytes = part(store, name, at, block.sizeBytes());
        if (!sha256(bytes).equals(block.digest())) {
            throw new InvalidFormat(
                    name,
                    "has a block at " + at + " with digest " + sha256(bytes).base64() + ", its header says "
                            + block.digest().base64());
        }
        return bytes;
    }

    static byte[] part(ObjectStore store, String name, long at, int sizeBytes) throws IOException, InvalidFormat {
        return get(store, name, at, sizeBytes)
                .orElseThrow(() -> new IOException("object " + name + " was removed while it was read"));
    }

    private static Optional<byte[]> get(ObjectStore store, String name, long at, int sizeBytes)
            throws IOException, InvalidFormat {
        try {
            return store.get(name, at, sizeBytes);
        } catch (ObjectStore.TooShortException e) {
            throw new InvalidFormat(name, "ends before byte " + (at + sizeBytes));
        }
    }

    /** The leaves its header says it holds are those of the name; of a format version from 1 on. */
    void requireLeavesOf(PackName name, int versionMax) throws InvalidFormat {
        if (json.integer("v") < 1 || json.integer("v") > versionMax) {
            throw new InvalidFormat("v", versionMax == 1 ? "must be 1" : "must be 1 to " + versionMax);
        }
        if (json.integer("shard") != name.shard()
                || IndexText.read(json, "first") != name.first()
                || IndexText.read(json, "end") != name.end()) {
            throw new InvalidFormat(name.name(), "has a header of other leaves");
        }
    }

    /** The elements of an array of objects. */
    List<JsonObject> objects(String member) throws InvalidFormat {
        List<JsonObject> objects = new ArrayList<>();
        for (JsonValue element : json.array(member)) {
            if (!(element instanceof JsonObject object)) {
                throw new InvalidFormat(member, "must be objects");
            }
            objects.add(object);
        }
        return objects;
    }

    static int positive(JsonObject object, String member) throws InvalidFormat {
        long value = object.integer(member);
        if (value < 1 || value > Integer.MAX_VALUE) {
            throw new InvalidFormat(member, "must be 1 to 2^31 - 1");
        }
        return (int) value;
    }

    static Hash sha256(byte[] bytes) {
        try {
            return Hash.of(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Head and body in one array. */
    static byte[] join(byte[] head, List<byte[]> body) {
        long size = head.length + body.stream().mapToLong(part -> part.length).sum();
        if (size > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("an archive object has less than 2 GiB");
        }
        ByteBuffer object = ByteBuffer.allocate((int) size).put(head);
        body.forEach(object::put);
        return object.array();
    }
}
