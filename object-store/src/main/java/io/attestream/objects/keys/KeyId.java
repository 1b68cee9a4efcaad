// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.keys;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names one key of a subject, and its objects.
 *
 * @param subject pseudonym of tenant and subject, 32 hexadecimal digits
 * @param number from 1 on; the next one is taken when a key is to be destroyed
 */
record KeyId(String subject, int number) {
    static final int NUMBER_MAX = 999_999;
    static final String PENDING = "pending/";
    static final String RECEIPTS = "receipts/";

    private static final Pattern TEXT = Pattern.compile("([0-9a-f]{32})-([1-9][0-9]{0,5})");

    /** Empty if it is not the id of a key that was made here. */
    static Optional<KeyId> parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        return matcher.matches()
                ? Optional.of(new KeyId(matcher.group(1), Integer.parseInt(matcher.group(2))))
                : Optional.empty();
    }

    String text() {
        return subject + "-" + number;
    }

    /** The object with the key, or with what says that it was destroyed. */
    String key() {
        return directory(subject) + text();
    }

    /** What the names of all keys of a subject begin with. */
    static String directory(String subject) {
        return "keys/" + subject.substring(0, 2) + "/";
    }

    /** The object that is there from when the key is to be destroyed until nothing encrypted under it is left. */
    String pending() {
        return PENDING + text();
    }

    /** The object that says where the ledger says so. */
    String receipt() {
        return RECEIPTS + subject.substring(0, 2) + "/" + text();
    }
}
