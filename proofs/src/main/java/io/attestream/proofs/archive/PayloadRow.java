// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.DataDigest;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** A payload's row, the same in payload objects and payload packs: u8 type, and what that type holds. */
final class PayloadRow {
    private static final byte NONE = 0;
    private static final byte PLAIN = 1;
    private static final byte ENCRYPTED = 2;
    private static final byte ERASED = 3;

    private PayloadRow() {}

    /** Parts to be written one behind the other; large ones are not copied. */
    static byte[][] encode(Payload payload) {
        if (payload instanceof Payload.Plain plain) {
            if (plain.salt().length != DataDigest.SALT_SIZE_BYTES) {
                throw new IllegalArgumentException("a salt has 16 bytes, not " + plain.salt().length);
            }
            return new byte[][] {{PLAIN}, tag(plain.contentTag()), plain.salt(), plain.data()};
        }
        if (payload instanceof Payload.Encrypted encrypted) {
            byte[] keyId = encrypted.keyId().getBytes(StandardCharsets.UTF_8);
            byte[] nonce = encrypted.nonce();
            byte[] tag = tag(encrypted.contentTag());
            return new byte[][] {
                {ENCRYPTED}, tag, lengthOf(keyId), keyId, lengthOf(nonce), nonce, encrypted.ciphertext()
            };
        }
        if (payload instanceof Payload.Erased erased) {
            byte[] keyId = erased.keyId().getBytes(StandardCharsets.UTF_8);
            return new byte[][] {{ERASED}, tag(erased.contentTag()), lengthOf(keyId), keyId};
        }
        return new byte[][] {{NONE}};
    }

    private static byte[] tag(byte[] contentTag) {
        if (contentTag.length != ContentTag.SIZE_BYTES) {
            throw new IllegalArgumentException("a content tag has 16 bytes, not " + contentTag.length);
        }
        return contentTag;
    }

    private static byte[] lengthOf(byte[] bytes) {
        if (bytes.length > 255) {
            throw new IllegalArgumentException("a key id or nonce has at most 255 bytes");
        }
        return new byte[] {(byte) bytes.length};
    }

    static Payload parse(ByteBuffer row, long leafIndex) throws InvalidFormat {
        byte type = take(row, 1)[0];
        switch (type) {
            case NONE:
                if (row.hasRemaining()) {
                    throw new InvalidFormat("payload of leaf " + leafIndex, "must be empty");
                }
                return new Payload.None();
            case PLAIN:
                byte[] plainTag = take(row, ContentTag.SIZE_BYTES);
                return new Payload.Plain(plainTag, take(row, DataDigest.SALT_SIZE_BYTES), take(row, row.remaining()));
            case ENCRYPTED:
                byte[] tag = take(row, ContentTag.SIZE_BYTES);
                byte[] keyId = take(row, take(row, 1)[0] & 0xff);
                byte[] nonce = take(row, take(row, 1)[0] & 0xff);
                return new Payload.Encrypted(tag, text(keyId, "keyId"), nonce, take(row, row.remaining()));
            case ERASED:
                byte[] leftTag = take(row, ContentTag.SIZE_BYTES);
                byte[] erasedKey = take(row, take(row, 1)[0] & 0xff);
                if (row.hasRemaining()) {
                    throw new InvalidFormat("payload of leaf " + leafIndex, "was erased, and must have nothing left");
                }
                return new Payload.Erased(leftTag, text(erasedKey, "keyId"));
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
}
