// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Seeded;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogTimeTest {
    private static final DateTimeFormatter PLATFORM =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    @Test
    void writesEveryDayAsThePlatformDoes() throws Exception {
        for (LocalDate day = LocalDate.of(1970, 1, 1); day.getYear() < 2110; day = day.plusDays(1)) {
            assertAsPlatform(day.atStartOfDay().toInstant(ZoneOffset.UTC).toEpochMilli());
        }
    }

    @Test
    void writesEveryTimeUpToTheYear9999AsThePlatformDoes() throws Exception {
        Seeded.check(2000, random -> assertAsPlatform(Long.remainderUnsigned(random.unsigned(), 253_402_300_800_000L)));
        assertThat(LogTime.format(0)).isEqualTo("1970-01-01T00:00:00.000Z");
        assertThat(LogTime.format(253_402_300_799_999L)).isEqualTo("9999-12-31T23:59:59.999Z");
    }

    private static void assertAsPlatform(long millis) throws InvalidFormat {
        String text = LogTime.format(millis);
        assertThat(text).isEqualTo(PLATFORM.format(Instant.ofEpochMilli(millis)));
        assertThat(LogTime.parse(text, "time")).isEqualTo(millis);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, 253_402_300_800_000L, Long.MAX_VALUE})
    void refusesTimesTheFormHasNoPlaceFor(long millis) {
        assertThatThrownBy(() -> LogTime.format(millis)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2026-01-05T09:00:00Z",
                "2026-01-05T09:00:00.000",
                "2026-01-05 09:00:00.000Z",
                "2026-01-05t09:00:00.000Z",
                "2026-01-05T09:00:00,000Z",
                "2026-02-29T09:00:00.000Z",
                "2026-13-01T09:00:00.000Z",
                "2026-01-05T09:60:00.000Z",
                "2026-01-05T23:59:60.000Z",
                "2026-01-05T24:00:00.000Z",
                "+026-01-05T09:00:00.000Z",
                "-026-01-05T09:00:00.000Z",
                "2026-1-005T09:00:00.000Z",
                "٢٠٢٦-01-05T09:00:00.000Z",
            })
    void refusesEveryOtherForm(String text) {
        assertThatThrownBy(() -> LogTime.parse(text, "time"))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageStartingWith("time: ");
    }
}
