// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.DataDigest;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The payloads of all leaves one epoch added, apart from their segment so that they can be erased. A row is u8 type (0 none,
 * 1 plain, 2 encrypted) and what that type holds. Immutable.
 */
public final class PayloadObject {
    private static final String MAGIC = "ATPAY\0\0\1";
    private static final byte NONE = 0;
    private static final byte PLAIN = 1;
    private static final byte ENCRYPTED = 2;

    private final LeafTable table;

    private PayloadObject(LeafTable table) {
        this.table = table;
    }

    public static PayloadObject parse(byte[] object) throws InvalidFormat {
        return new PayloadObject(LeafTable.parse(object, MAGIC));
    }

    public long epoch() {
        return table.epoch();
    }

    public List<Integer> shards() {
        return table.shards();
    }

    public boolean has(int shard, long leafIndex) {
        return table.has(shard, leafIndex);
    }

    public Payload payload(int shard, long leafIndex) throws InvalidFormat {
        ByteBuffer row = table.row(shard, leafIndex);
        byte type = row.get();
        switch (type) {
            case NONE:
                if (row.hasRemaining()) {
                    throw new InvalidFormat("payload of leaf " + leafIndex, "must be empty");
                }
                return new Payload.None();
            case PLAIN:
                return new Payload.Plain(take(row, DataDigest.SALT_SIZE_BYTES), take(row, row.remaining()));
            case ENCRYPTED:
                byte[] keyId = take(row, row.hasRemaining() ? row.get() & 0xff : 1);
                byte[] nonce = take(row, row.hasRemaining() ? row.get() & 0xff : 1);
                return new Payload.Encrypted(text(keyId, "keyId"), nonce, take(row, row.remaining()));
            default:
                throw new InvalidFormat("payload of leaf " + leafIndex, "has unknown type " + type);
        }
    }

    private static String text(byte[] bytes, String field) throws InvalidFormat {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidFormat(field, "must be UTF-8");
        }
    }

    private static byte[] take(ByteBuffer row, int length) throws InvalidFormat {
        if (row.remaining() < length) {
            throw new InvalidFormat("payload", "ends too early");
        }
        byte[] bytes = new byte[length];
        row.get(bytes);
        return bytes;
    }

    public static Builder builder(long epoch) {
        return new Builder(epoch);
    }

    /** Builds a payload object: shards ascending, leaves in their order. Not thread-safe. */
    public static final class Builder {
        private final LeafTable.Builder table;

        private Builder(long epoch) {
            table = new LeafTable.Builder(MAGIC, epoch);
        }

        public Builder startShard(int shard, long firstIndex) {
            table.startShard(shard, firstIndex);
            return this;
        }

        public Builder add(Payload payload) {
            if (payload instanceof Payload.Plain plain) {
                if (plain.salt().length != DataDigest.SALT_SIZE_BYTES) {
                    throw new IllegalArgumentException("a salt has 16 bytes, not " + plain.salt().length);
                }
                table.row(new byte[] {PLAIN}, plain.salt(), plain.data());
            } else if (payload instanceof Payload.Encrypted encrypted) {
                byte[] keyId = encrypted.keyId().getBytes(StandardCharsets.UTF_8);
                table.row(
                        new byte[] {ENCRYPTED},
                        lengthOf(keyId),
                        keyId,
                        lengthOf(encrypted.nonce()),
                        encrypted.nonce(),
                        encrypted.ciphertext());
            } else {
                table.row(new byte[] {NONE});
            }
            return this;
        }

        private static byte[] lengthOf(byte[] bytes) {
            if (bytes.length > 255) {
                throw new IllegalArgumentException("a key id or nonce has at most 255 bytes");
            }
            return new byte[] {(byte) bytes.length};
        }

        public byte[] build() {
            return table.build();
        }
    }
}
