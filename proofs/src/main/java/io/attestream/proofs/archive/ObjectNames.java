// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of archive objects: {@code segments/<epoch, 20 digits>-<sha256>.seg} and its siblings. */
public final class ObjectNames {
    private static final Pattern DIGEST =
            Pattern.compile("(?:segments|payloads)/([0-9]{20})-([0-9a-f]{64})\\.(?:seg|pay)");

    private static final Pattern EPOCH = Pattern.compile("epochs/[0-9]{20}\\.epoch");
    private static final Pattern GUARD = Pattern.compile("guard/[0-9]{20}\\.note-text");

    /** What the names of all segments begin with. */
    public static final String SEGMENTS = "segments/";

    /** What the names of all payload objects begin with. */
    public static final String PAYLOADS = "payloads/";

    /** What the names of all epoch objects begin with. */
    public static final String EPOCHS = "epochs/";

    /** What the names of all guards begin with. */
    public static final String GUARDS = "guard/";

    private ObjectNames() {}

    public static String segment(long epoch, byte[] object) {
        return SEGMENTS + digits(epoch) + "-" + sha256Hex(object) + ".seg";
    }

    public static String payloads(long epoch, byte[] object) {
        return PAYLOADS + digits(epoch) + "-" + sha256Hex(object) + ".pay";
    }

    /** Where the exact text to be signed for an epoch is kept. */
    public static String guard(long epoch) {
        return GUARDS + digits(epoch) + ".note-text";
    }

    /** Where is kept what was published of an epoch. */
    public static String epoch(long epoch) {
        return EPOCHS + digits(epoch) + ".epoch";
    }

    /** Whether it is the name of a guard. */
    public static boolean isGuard(String name) {
        return GUARD.matcher(name).matches();
    }

    /** Whether it is the name of an epoch object. */
    public static boolean isEpoch(String name) {
        return EPOCH.matcher(name).matches();
    }

    /** Fails unless it can be the name of this epoch's segment ({@code segments/…}). */
    public static void requireSegment(String name, long epoch) throws InvalidFormat {
        requireOf(name, SEGMENTS + digits(epoch) + "-", "segment");
    }

    /** Fails unless it can be the name of this epoch's payload object ({@code payloads/…}). */
    public static void requirePayloads(String name, long epoch) throws InvalidFormat {
        requireOf(name, PAYLOADS + digits(epoch) + "-", "payloads");
    }

    /** The epoch whose segment or payload object has this name; empty if it is another name. */
    public static OptionalLong epochOf(String name) {
        Matcher matcher = DIGEST.matcher(name);
        try {
            return matcher.matches() ? OptionalLong.of(Long.parseLong(matcher.group(1))) : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty(); // beyond any epoch
        }
    }

    private static void requireOf(String name, String prefix, String field) throws InvalidFormat {
        if (!DIGEST.matcher(name).matches() || !name.startsWith(prefix)) {
            throw new InvalidFormat(field, "must begin with " + prefix + " and have the object's digest");
        }
    }

    /** Where a damaged object is kept apart: a name of its own, because the same object may be damaged twice. */
    public static String damaged(String name, byte[] damaged) {
        return "damaged/" + name + "-" + sha256Hex(damaged).substring(0, 16);
    }

    /** Fails unless the object has the digest its name says. */
    public static void requireDigest(String name, byte[] object) throws InvalidFormat {
        Matcher matcher = DIGEST.matcher(name);
        if (!matcher.matches()) {
            throw new InvalidFormat(name, "is not the name of a segment or payload object");
        }
        String actual = sha256Hex(object);
        if (!actual.equals(matcher.group(2))) {
            throw new InvalidFormat(name, "has digest " + actual + ", its name says " + matcher.group(2));
        }
    }

    private static String digits(long epoch) {
        return String.format(Locale.ROOT, "%020d", epoch);
    }

    private static String sha256Hex(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
