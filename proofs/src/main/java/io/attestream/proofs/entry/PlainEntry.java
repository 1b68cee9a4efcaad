// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the entry of an event whose strings are ASCII without an escape, as nearly all are, where it lies: several times as fast
 * as by way of JSON, which matters where every entry of an archive is read. What it reads is canonical, because nothing but the
 * one text is let through; whatever else there is, valid or not, it leaves to the general reader. Not thread-safe.
 */
final class PlainEntry {
    private static final byte[] DIGEST = ascii("{\"data\":{\"digest\":\"");
    private static final byte[] SIZE = ascii("\",\"size\":");
    private static final byte[] EVENT = ascii("},\"event\":{\"");
    private static final byte[] ACTOR = ascii("},\"kind\":\"event\",\"log\":{\"actor\":\"");
    private static final byte[] TENANT = ascii(",\"tenant\":\"");
    private static final byte[] TIME = ascii(",\"time\":\"");
    private static final byte[] END = ascii("},\"v\":1}");
    private static final int DIGEST_SIZE_BYTES = 32;
    private static final int SIZE_DIGITS_MAX = 16;
    private static final byte QUOTE = '"';

    private final byte[] entry;
    private int at;

    private PlainEntry(byte[] entry) {
        this.entry = entry;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** The event, or null if this is for the general reader. */
    static EntryView.@Nullable Event read(byte[] entry) {
        try {
            return new PlainEntry(entry).read();
        } catch (NotPlain | InvalidFormat e) {
            return null;
        }
    }

    /** Without a stack: it tells nothing. */
    private static final class NotPlain extends Exception {
        private NotPlain() {
            super(null, null, false, false);
        }
    }

    private EntryView.Event read() throws NotPlain, InvalidFormat {
        expect(DIGEST);
        byte[] digest = Base64Text.decode(string(), DIGEST_SIZE_BYTES, "digest");
        at--; // its quote begins what is expected next
        expect(SIZE);
        long size = number();
        expect(EVENT);
        Map<String, String> attributes = attributes();
        expect(ACTOR);
        String actor = string();
        expect(TENANT);
        String tenant = string();
        expect(TIME);
        long timeMillis = LogTime.parse(string(), "time");
        expect(END);
        if (at != entry.length) {
            throw new NotPlain();
        }
        CanonicalEntry.requireValid(attributes, tenant, actor, digest, size);
        return new EntryView.Event(
                EntryKind.EVENT, attributes, tenant, actor, timeMillis, digest, size, Optional.empty());
    }

    private void expect(byte[] text) throws NotPlain {
        int end = at + text.length;
        if (end > entry.length || !Arrays.equals(entry, at, end, text, 0, text.length)) {
            throw new NotPlain();
        }
        at = end;
    }

    private byte next() throws NotPlain {
        if (at == entry.length) {
            throw new NotPlain();
        }
        return entry[at++];
    }

    /** What is before the next quote, which is taken. */
    private String string() throws NotPlain {
        int start = at;
        for (byte c = next(); c != QUOTE; c = next()) {
            if (c < 0x20 || c == '\\' || c == 0x7f) { // negative: not ASCII
                throw new NotPlain();
            }
        }
        return new String(entry, start, at - 1 - start, StandardCharsets.ISO_8859_1);
    }

    /** In its shortest form. */
    private long number() throws NotPlain {
        int start = at;
        long value = 0;
        while (at < entry.length && entry[at] >= '0' && entry[at] <= '9' && at - start < SIZE_DIGITS_MAX) {
            value = value * 10 + (entry[at++] - '0');
        }
        boolean shortest = at - start == 1 || (at > start && entry[start] != '0');
        if (!shortest || value > JsonInteger.MAX) {
            throw new NotPlain();
        }
        return value;
    }

    /** From behind the first quote; each name behind the one before it, so that none is there twice. */
    private Map<String, String> attributes() throws NotPlain {
        List<Map.Entry<String, String>> attributes = new ArrayList<>();
        String before = "";
        while (true) {
            String name = string();
            if (name.compareTo(before) <= 0 || next() != ':' || next() != QUOTE) {
                throw new NotPlain();
            }
            attributes.add(Map.entry(name, string()));
            before = name;
            byte c = next();
            if (c == '}') {
                at--; // begins what is expected next
                @SuppressWarnings({"unchecked", "rawtypes"}) // there are no arrays of generic types
                Map.Entry<String, String>[] all = attributes.toArray(new Map.Entry[0]);
                return Map.ofEntries(all);
            }
            if (c != ',' || next() != QUOTE) {
                throw new NotPlain();
            }
        }
    }
}
