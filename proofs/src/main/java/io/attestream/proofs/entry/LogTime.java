// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JcsWriter;
import java.nio.charset.StandardCharsets;

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
        JcsWriter out = new JcsWriter();
        write(millis, out);
        return new String(out.toBytes(), StandardCharsets.US_ASCII);
    }

    /** Writes what {@link #format} gives, without quotes. */
    static void write(long millis, JcsWriter out) {
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

        out.digits(year, 4).raw("-").digits(month, 2).raw("-");
        out.digits(dayOfYear - (153 * shifted + 2) / 5 + 1, 2).raw("T");
        out.digits(ofDay / 3_600_000, 2).raw(":").digits(ofDay / 60_000 % 60, 2);
        out.raw(":").digits(ofDay / 1000 % 60, 2).raw(".");
        out.digits(ofDay % 1000, 3).raw("Z");
    }

    /** Milliseconds since the epoch; accepts exactly what {@link #format} writes. */
    public static long parse(String text, String field) throws InvalidFormat {
        // Whatever is not a time in this form is found by writing it again.
        long millis = text.length() == LENGTH ? millis(text) : -1;
        if (millis < 0 || millis > MAX_MILLIS || !format(millis).equals(text)) {
            throw new InvalidFormat(field, "must be like 2026-01-05T09:00:00.000Z");
        }
        return millis;
    }

    /** Of a text of this length; of one that is no time, any number. */
    private static long millis(String text) {
        long month = digits(text, 5, 2);
        // Years that begin in March, as above.
        long year = digits(text, 0, 4) - (month <= 2 ? 1 : 0);
        long era = Math.floorDiv(year, 400);
        long yearOfEra = year - era * 400;
        long dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + digits(text, 8, 2) - 1;
        long days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468;
        long seconds = (digits(text, 11, 2) * 60 + digits(text, 14, 2)) * 60 + digits(text, 17, 2);
        return days * 86_400_000L + seconds * 1000 + digits(text, 20, 3);
    }

    private static long digits(String text, int from, int count) {
        long value = 0;
        for (int i = from; i < from + count; i++) {
            value = value * 10 + text.charAt(i) - '0';
        }
        return value;
    }
}
