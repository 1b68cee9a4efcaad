// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.InvalidFormat;

/** RFC 3339 in UTC with exactly three fraction digits and {@code Z}: {@code 2026-01-05T09:00:00.000Z}. */
public final class LogTime {
    private static final long MAX_MILLIS = 253_402_300_799_999L;
    private static final int LENGTH = 24;

    private LogTime() {}

    /**
     * @param millis since the epoch, up to the year 9999
     * @throws IllegalArgumentException if it is before 1970 or after 9999
     */
    public static String format(long millis) {
        if (millis < 0 || millis > MAX_MILLIS) {
            throw new IllegalArgumentException("time " + millis + " ms is not between 1970 and 9999");
        }
        // Days to civil date over 400-year eras that begin in March, so that a leap day is the last of its year.
        long days = millis / 86_400_000L + 719_468;
        long era = days / 146_097;
        long dayOfEra = days - era * 146_097;
        long yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        long dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        long shifted = (5 * dayOfYear + 2) / 153;
        long month = shifted < 10 ? shifted + 3 : shifted - 9;
        long year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        long ofDay = millis % 86_400_000L;

        char[] text = "0000-00-00T00:00:00.000Z".toCharArray();
        digits(text, 0, 4, year);
        digits(text, 5, 2, month);
        digits(text, 8, 2, dayOfYear - (153 * shifted + 2) / 5 + 1);
        digits(text, 11, 2, ofDay / 3_600_000);
        digits(text, 14, 2, ofDay / 60_000 % 60);
        digits(text, 17, 2, ofDay / 1000 % 60);
        digits(text, 20, 3, ofDay % 1000);
        return new String(text);
    }

    /** Milliseconds since the epoch; accepts exactly what {@link #format} writes. */
    public static long parse(String text, String field) throws InvalidFormat {
        long millis;
        try {
            millis = text.length() == LENGTH ? java.time.Instant.parse(text).toEpochMilli() : -1;
        } catch (java.time.DateTimeException e) {
            throw new InvalidFormat(field, "must be like 2026-01-05T09:00:00.000Z");
        }
        if (millis < 0 || millis > MAX_MILLIS || !format(millis).equals(text)) {
            throw new InvalidFormat(field, "must be like 2026-01-05T09:00:00.000Z");
        }
        return millis;
    }

    private static void digits(char[] text, int from, int count, long value) {
        long rest = value;
        for (int i = from + count - 1; i >= from; i--) {
            text[i] = (char) ('0' + rest % 10);
            rest /= 10;
        }
    }
}
