// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tree.LeafIndex;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CanonicalEntryTest {
    private static final byte[] DIGEST = DataDigest.compute(Samples.SALT, Samples.PAYLOAD);
    private static final long SIZE = Samples.PAYLOAD.length;

    @Test
    void writesTheGoldenEvent() {
        assertThat(CanonicalEntry.event(Samples.EVENT, Samples.TENANT, Samples.ACTOR, Samples.TIME, DIGEST, SIZE))
                .isEqualTo(Golden.bytes("entry-event-v1.json"));
    }

    @Test
    void writesTheGoldenUnusualEvent() {
        byte[] digest = DataDigest.compute(Samples.UNUSUAL_SALT, new byte[0]);
        assertThat(CanonicalEntry.event(
                        Samples.UNUSUAL_EVENT,
                        Samples.UNUSUAL_TENANT,
                        Samples.UNUSUAL_ACTOR,
                        Samples.UNUSUAL_TIME,
                        digest,
                        0))
                .isEqualTo(Golden.bytes("entry-event-unusual-v1.json"));
    }

    @Test
    void writesTheGoldenConflicts() {
        byte[] digest = DataDigest.compute(Samples.OTHER_SALT, Samples.OTHER_PAYLOAD);
        long size = Samples.OTHER_PAYLOAD.length;
        assertThat(CanonicalEntry.conflict(
                        Samples.EVENT,
                        Samples.TENANT,
                        Samples.ACTOR,
                        Samples.OTHER_TIME,
                        digest,
                        size,
                        new LeafIndex(1)))
                .isEqualTo(Golden.bytes("entry-conflict-v1.json"));
        assertThat(CanonicalEntry.conflict(
                        Samples.EVENT, Samples.TENANT, Samples.ACTOR, 0, digest, size, new LeafIndex(-2)))
                .isEqualTo(Golden.bytes("entry-conflict-large-ref-v1.json"));
    }

    @Test
    void readsPlainEntriesAsAnyOther() throws Exception {
        // given plain events, and bent ones
        int[] read = new int[2];
        Seeded.check(20_000, random -> {
            byte[] entry = CanonicalEntry.event(
                    Samples.EVENT, Samples.TENANT, Samples.ACTOR, Samples.TIME, DIGEST, random.below(1_000_000));
            byte[] bent = random.chance(10) ? entry : bent(entry, random);

            // when
            EntryView.Event plain = PlainEntry.read(bent);

            // then
            read[plain == null ? 0 : 1]++;
            if (plain != null) {
                assertSame(plain, (EntryView.Event) CanonicalEntry.parseAny(bent));
            }
        });
        assertThat(read[0]).as("left to the general reader").isPositive();
        assertThat(read[1]).as("read as plain").isGreaterThan(3_000);
    }

    private static byte[] bent(byte[] entry, Seeded random) {
        if (random.chance(50)) {
            return random.mutated(entry);
        }
        // A byte that means something here, where another was.
        byte[] bent = entry.clone();
        bent[random.below(entry.length)] = entry[random.below(entry.length)];
        return bent;
    }

    private static void assertSame(EntryView.Event one, EntryView.Event other) {
        assertThat(one).usingRecursiveComparison().isEqualTo(other);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"size\":1}|\"size\":01}",
                "\"size\":1}|\"size\":9007199254740992}",
                "\"size\":1}|\"size\":-1}",
                "\"size\":1}|\"size\":}",
                "\"id\":|\"ID\":",
                "\"id\":|\"i\":",
                "\"id\":|\"data\":",
                "\"specversion\":\"1.0\"|\"specversion\":\"1.0\",\"specversion\":\"1.0\"",
                "\"v\":1}|\"v\":2}",
                "\"v\":1}|\"v\":1} ",
                "\"kind\":\"event\"|\"kind\":\"rules\"",
                "\"source\":\"|\"source\":\"\u007f",
                "\"source\":\"|\"source\":\"\n",
                "\"source\":\"|\"source\":\"\u0080",
                "\"actor\":\"|\"actor\":1\"",
                "{\"data\"| {\"data\""
            })
    void whatIsNotPlainAndRightIsNotReadAsPlain(String change) {
        // given
        byte[] entry = CanonicalEntry.event(Samples.EVENT, Samples.TENANT, Samples.ACTOR, Samples.TIME, DIGEST, 1);
        String text = new String(entry, StandardCharsets.UTF_8);
        String[] fromTo = change.split("\\|", -1);
        assertThat(PlainEntry.read(entry)).isNotNull();
        assertThat(text).contains(fromTo[0]);

        // then
        assertThat(PlainEntry.read(utf8(text.replace(fromTo[0], fromTo[1])))).isNull();
    }

    @Test
    void readsTheGoldenEntries() throws Exception {
        EntryView.Event event = (EntryView.Event) CanonicalEntry.parse(Golden.bytes("entry-event-v1.json"));
        assertThat(event.kind()).isEqualTo(EntryKind.EVENT);
        assertThat(event.attributes()).isEqualTo(Samples.EVENT);
        assertThat(event.tenant()).isEqualTo(Samples.TENANT);
        assertThat(event.actor()).isEqualTo(Samples.ACTOR);
        assertThat(event.timeMillis()).isEqualTo(Samples.TIME);
        assertThat(event.dataDigest()).isEqualTo(DIGEST);
        assertThat(event.dataSizeBytes()).isEqualTo(SIZE);
        assertThat(event.ref()).isEmpty();

        EntryView.Event unusual = (EntryView.Event) CanonicalEntry.parse(Golden.bytes("entry-event-unusual-v1.json"));
        assertThat(unusual.attributes()).isEqualTo(Samples.UNUSUAL_EVENT);
        assertThat(unusual.tenant()).isEqualTo(Samples.UNUSUAL_TENANT);

        EntryView.Event conflict = (EntryView.Event) CanonicalEntry.parse(Golden.bytes("entry-conflict-v1.json"));
        assertThat(conflict.kind()).isEqualTo(EntryKind.CONFLICT);
        assertThat(conflict.ref()).contains(new LeafIndex(1));
        EntryView.Event large =
                (EntryView.Event) CanonicalEntry.parse(Golden.bytes("entry-conflict-large-ref-v1.json"));
        assertThat(large.ref()).contains(new LeafIndex(-2));

        assertThat(CanonicalEntry.parse(Golden.bytes("control-genesis-v1.json")))
                .isEqualTo(new EntryView.Control(EntryKind.GENESIS));
        assertThat(CanonicalEntry.parse(Golden.bytes("control-rules-v1.json")))
                .isEqualTo(new EntryView.Control(EntryKind.RULES));
    }

    @Test
    void writesWhatAGenericCanonicalWriterWrites() {
        Seeded.check(500, random -> {
            // given any valid event
            Map<String, String> attributes = attributes(random);
            String tenant = random.text(10);
            String actor = random.text(10);
            long millis = Long.remainderUnsigned(random.unsigned(), 253_402_300_800_000L);
            byte[] digest = random.bytes(32);
            long size = random.nextLong() >>> random.between(11, 63);
            Optional<LeafIndex> ref =
                    random.chance(50) ? Optional.empty() : Optional.of(new LeafIndex(random.unsigned()));

            // when it is written straight and by way of a JSON value
            byte[] entry = ref.isEmpty()
                    ? CanonicalEntry.event(attributes, tenant, actor, millis, digest, size)
                    : CanonicalEntry.conflict(attributes, tenant, actor, millis, digest, size, ref.get());
            byte[] generic = Jcs.encode(generic(attributes, tenant, actor, millis, digest, size, ref));

            // then the bytes are equal, and read back as what they were
            assertThat(entry).asString(StandardCharsets.UTF_8).isEqualTo(new String(generic, StandardCharsets.UTF_8));
            EntryView.Event read = (EntryView.Event) CanonicalEntry.parse(entry);
            assertThat(read.attributes()).isEqualTo(attributes);
            assertThat(read.tenant()).isEqualTo(tenant);
            assertThat(read.actor()).isEqualTo(actor);
            assertThat(read.timeMillis()).isEqualTo(millis);
            assertThat(read.dataDigest()).isEqualTo(digest);
            assertThat(read.dataSizeBytes()).isEqualTo(size);
            assertThat(read.ref()).isEqualTo(ref);
            assertThatCode(() -> CanonicalEntry.requireValid(attributes, read.tenant(), actor, digest, size))
                    .doesNotThrowAnyException();
        });
    }

    private static Map<String, String> attributes(Seeded random) {
        Map<String, String> attributes = new HashMap<>();
        for (int i = random.below(6); i > 0; i--) {
            attributes.put(Integer.toString(random.below(1 << 30), 36), random.text(20));
        }
        for (String name : Attributes.REQUIRED) {
            attributes.put(name, random.text(20));
        }
        return attributes;
    }

    private static JsonObject generic(
            Map<String, String> attributes,
            String tenant,
            String actor,
            long millis,
            byte[] digest,
            long size,
            Optional<LeafIndex> ref) {
        Map<String, JsonValue> members = new LinkedHashMap<>();
        members.put("v", new JsonInteger(1));
        ref.ifPresent(index -> members.put("ref", new JsonObject(Map.of("index", IndexText.of(index.value())))));
        members.put("kind", new JsonString(ref.isPresent() ? "conflict" : "event"));
        Map<String, JsonValue> event = new LinkedHashMap<>();
        attributes.forEach((name, value) -> event.put(name, new JsonString(value)));
        members.put("event", new JsonObject(event));
        String time = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'")
                .format(Instant.ofEpochMilli(millis).atOffset(ZoneOffset.UTC));
        members.put(
                "log",
                new JsonObject(Map.of(
                        "actor", new JsonString(actor),
                        "tenant", new JsonString(tenant),
                        "time", new JsonString(time))));
        members.put(
                "data",
                new JsonObject(Map.of(
                        "digest", new JsonString(Base64.getEncoder().encodeToString(digest)),
                        "size", new JsonInteger(size))));
        return new JsonObject(members);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // what is changed in the golden event | to what | the field the error names
                "\"v\":1 | \"v\":2 | v",
                "\"v\":1 | \"v\":\"1\" | v",
                ",\"v\":1 | | v",
                "\"kind\":\"event\" | \"kind\":\"Event\" | kind",
                "\"kind\":\"event\" | \"kind\":0 | kind",
                "\"kind\":\"event\", | | kind",
                "\"kind\":\"event\" | \"kind\":\"conflict\" | ref",
                "\"size\":56 | \"size\":-1 | size",
                "\"size\":56 | \"size\":\"56\" | size",
                "\"size\":56 | \"extra\":1,\"size\":56 | extra",
                ",\"size\":56 | | size",
                "\"data\":{ | \"data\":{\"a\":1, | a",
                "\"digest\":\"She0 | \"digest\":\" | digest",
                "\"digest\":\" | \"digest\":\"AAAA | digest",
                "\"specversion\":\"1.0\", | | specversion",
                "\"specversion\":\"1.0\" | \"specversion\":\"\" | specversion",
                "\"specversion\":\"1.0\" | \"specversion\":1 | specversion",
                "\"subject\":\"Codertocat\" | \"subject\":\"Coder\\ncat\" | subject",
                "\"subject\":\"Codertocat\" | \"subject\":null | subject",
                "\"subject\" | \"sub_ject\" | attribute sub_ject",
                "\"subject\" | \"subjectsubjectsubject\" | attribute subjectsubjectsubject",
                "\"datacontenttype\" | \"data\" | attribute data",
                "\"actor\":\"svc-7f3a\" | \"actor\":\"\" | actor",
                "\"actor\":\"svc-7f3a\", | | actor",
                "\"tenant\":\"acme\" | \"tenant\":\"\" | tenant",
                "\"tenant\":\"acme\" | \"tenant\":\"a\u007fb\" | tenant",
                "\"tenant\":\"acme\", | | tenant",
                ".123Z | .123z | time",
                ".123Z | .12Z | time",
                ".123Z | .1234Z | time",
                ".123Z | .123+00:00 | time",
                "09:00:00.123Z | 24:00:00.123Z | time",
                "05T09:00:00.123Z | 32T09:00:00.123Z | time",
                "2026-01-05T09:00:00.123Z | 1969-12-31T23:59:59.999Z | time",
                ",\"time\":\"2026-01-05T09:00:00.123Z\" | | time",
                ",\"v\":1 | ,\"ref\":{\"index\":1},\"v\":1 | ref",
                "{\"data\" | {\"aaaa\":{},\"data\" | aaaa",
                "\"log\":{ | \"log\":{\"a\":1, | a",
                "{\"data\" | { \"data\" | json",
                "\"acme\" | \"\\u0061cme\" | json",
            })
    void refusesAnEntryNamingWhatIsWrong(String from, String to, String field) {
        String entry = Golden.text("entry-event-v1.json");
        assertThat(entry).contains(from);
        String changed = entry.replaceFirst(Pattern.quote(from), to == null ? "" : Matcher.quoteReplacement(to));
        assertThatThrownBy(() -> CanonicalEntry.parse(utf8(changed)))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"index\":-1}",
                "{\"index\":\"1\"}",
                "{\"index\":\"18446744073709551616\"}",
                "{\"a\":1,\"index\":1}",
                "{}",
                "1"
            })
    void refusesAConflictThatDoesNotSayWithWhat(String ref) {
        String changed = Golden.text("entry-conflict-v1.json").replace("{\"index\":1}", ref);
        assertThatThrownBy(() -> CanonicalEntry.parse(utf8(changed))).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void refusesEveryChangedByteOrReadsWhatItSays() {
        // given the golden event with any one byte changed
        byte[] golden = Golden.bytes("entry-event-v1.json");
        for (int i = 0; i < golden.length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] changed = golden.clone();
                changed[i] ^= (byte) (1 << bit);
                EntryView view;
                try {
                    view = CanonicalEntry.parse(changed);
                } catch (InvalidFormat e) {
                    continue;
                }
                // then what is read is encoded as these bytes, and so hashed as another leaf
                EntryView.Event event = (EntryView.Event) view;
                assertThat(CanonicalEntry.event(
                                event.attributes(),
                                event.tenant(),
                                event.actor(),
                                event.timeMillis(),
                                event.dataDigest(),
                                event.dataSizeBytes()))
                        .isEqualTo(changed);
            }
        }
    }

    @Test
    void refusesMoreBytesThanAnEntryBundleCarries() throws Exception {
        byte[] entry = ofSize(65_535);
        assertThat(CanonicalEntry.parse(entry).kind()).isEqualTo(EntryKind.EVENT);
        assertThatThrownBy(() -> CanonicalEntry.parse(ofSize(65_536)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("65,535");
    }

    @Test
    void leavesRoomForAConflictAboutTheLargestEvent() {
        // given the largest event a door lets in, all of whose other parts may grow
        byte[] event = ofSize(CanonicalEntry.MAX_EVENT_SIZE_BYTES);
        int grows = ",\"ref\":{\"index\":\"18446744073709551615\"}".length() + "conflict".length() - "event".length();
        // then a conflict about it fits an entry
        assertThat(event.length + grows).isLessThanOrEqualTo(CanonicalEntry.MAX_SIZE_BYTES);
    }

    private static byte[] ofSize(int size) {
        int rest = size - CanonicalEntry.event(withSubject(""), Samples.TENANT, Samples.ACTOR, 0, DIGEST, SIZE).length;
        byte[] entry =
                CanonicalEntry.event(withSubject("x".repeat(rest)), Samples.TENANT, Samples.ACTOR, 0, DIGEST, SIZE);
        assertThat(entry).hasSize(size);
        return entry;
    }

    private static Map<String, String> withSubject(String subject) {
        Map<String, String> attributes = new HashMap<>(Samples.EVENT);
        attributes.put("subject", subject);
        return attributes;
    }

    @Test
    void refusesValuesNoEntryCanBeMadeOf() {
        assertRefused(with("id", ""), "t", "a", DIGEST, 0, "id");
        assertRefused(without("source"), "t", "a", DIGEST, 0, "source");
        assertRefused(with("x\n", "1"), "t", "a", DIGEST, 0, "attribute x?");
        assertRefused(with("", "1"), "t", "a", DIGEST, 0, "attribute ");
        assertRefused(with("subject", "\ud800"), "t", "a", DIGEST, 0, "subject");
        assertRefused(with("subject", "a\udc00\ud800"), "t", "a", DIGEST, 0, "subject");
        assertRefused(with("subject", "\u0085"), "t", "a", DIGEST, 0, "subject");
        assertRefused(Samples.EVENT, "", "a", DIGEST, 0, "tenant");
        assertRefused(Samples.EVENT, "t\0", "a", DIGEST, 0, "tenant");
        assertRefused(Samples.EVENT, "t", "", DIGEST, 0, "actor");
        assertRefused(Samples.EVENT, "t", "\udfff", DIGEST, 0, "actor");
        assertRefused(Samples.EVENT, "t", "a", new byte[31], 0, "digest");
        assertRefused(Samples.EVENT, "t", "a", DIGEST, -1, "size");
        assertRefused(Samples.EVENT, "t", "a", DIGEST, 1L << 53, "size");
    }

    private static void assertRefused(
            Map<String, String> attributes, String tenant, String actor, byte[] digest, long size, String field) {
        assertThatThrownBy(() -> CanonicalEntry.requireValid(attributes, tenant, actor, digest, size))
                .isInstanceOfSatisfying(
                        InvalidFormat.class, e -> assertThat(e.field()).isEqualTo(field));
    }

    private static Map<String, String> with(String name, String value) {
        Map<String, String> attributes = new HashMap<>(Samples.EVENT);
        attributes.put(name, value);
        return attributes;
    }

    private static Map<String, String> without(String name) {
        Map<String, String> attributes = new HashMap<>(Samples.EVENT);
        attributes.remove(name);
        return attributes;
    }
}
