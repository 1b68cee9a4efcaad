// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.Samples;
import io.attestream.proofs.support.Seeded;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DigestsTest {
    @Test
    void identityDigestsAreTheGoldenOnes() throws Exception {
        for (JsonObject golden : Golden.objects("identity-digest-v1.ndjson")) {
            assertThat(HexFormat.of()
                            .formatHex(IdentityDigest.compute(
                                    golden.string("tenant"),
                                    golden.string("source"),
                                    orNull(golden, "partitionKey"),
                                    golden.string("id"))))
                    .isEqualTo(golden.string("digest"));
        }
    }

    @Test
    void identityDigestsTellEveryPartApart() {
        // given identities whose parts run into each other when only concatenated
        Set<String> digests = new HashSet<>();
        String[][] identities = {
            {"a", "b", null, "c"},
            {"a", "b", "null", "c"},
            {"a", "b", "", "c"},
            {"ab", "", null, "c"},
            {"a", "bc", null, ""},
            {"a", "b\",\"c", null, "c"},
            {"a", "b", "c", ""},
            {"a", "b", "c", "c"},
            {"b", "a", null, "c"},
        };
        for (String[] id : identities) {
            digests.add(HexFormat.of().formatHex(IdentityDigest.compute(id[0], id[1], id[2], id[3])));
        }
        assertThat(digests).hasSize(identities.length);
    }

    @Test
    void identityDigestsAreWrittenWhereAsked() {
        Seeded.check(50, random -> {
            String tenant = random.text(10);
            String id = random.text(2000);
            byte[] out = new byte[40];
            IdentityDigest.compute(tenant, "s", null, id, out, 7);
            assertThat(Arrays.copyOfRange(out, 7, 23)).isEqualTo(IdentityDigest.compute(tenant, "s", null, id));
            assertThat(Arrays.copyOf(out, 7)).containsOnly(0);
            assertThat(Arrays.copyOfRange(out, 23, 40)).containsOnly(0);
        });
    }

    @Test
    void contentTagsAreTheGoldenOnes() throws Exception {
        for (JsonObject golden : Golden.objects("content-tag-v1.ndjson")) {
            ContentTag tag = new ContentTag(base64(golden.string("doorKey")));
            Map<String, String> event = new HashMap<>();
            for (Map.Entry<String, JsonValue> member :
                    golden.object("event").members().entrySet()) {
                event.put(member.getKey(), ((JsonString) member.getValue()).value());
            }
            byte[] payloadSha256 = Samples.sha256(base64(golden.string("payload")));
            assertThat(HexFormat.of().formatHex(tag.compute(golden.string("tenant"), event, payloadSha256)))
                    .isEqualTo(golden.string("tag"));
        }
    }

    @Test
    void contentTagsChangeWithKeyTenantEveryAttributeAndPayload() {
        byte[] key = new byte[32];
        byte[] otherKey = new byte[32];
        otherKey[31] = 1;
        byte[] payload = Samples.sha256(Samples.PAYLOAD);
        byte[] tag = new ContentTag(key).compute("t", Samples.EVENT, payload);

        assertThat(new ContentTag(otherKey).compute("t", Samples.EVENT, payload))
                .isNotEqualTo(tag);
        assertThat(new ContentTag(key).compute("u", Samples.EVENT, payload)).isNotEqualTo(tag);
        assertThat(new ContentTag(key).compute("t", Samples.EVENT, Samples.sha256(Samples.OTHER_PAYLOAD)))
                .isNotEqualTo(tag);
        for (String name : Samples.EVENT.keySet()) {
            Map<String, String> changed = new HashMap<>(Samples.EVENT);
            changed.merge(name, "x", String::concat);
            assertThat(new ContentTag(key).compute("t", changed, payload))
                    .as(name)
                    .isNotEqualTo(tag);
            changed.remove(name);
            assertThat(new ContentTag(key).compute("t", changed, payload))
                    .as(name)
                    .isNotEqualTo(tag);
        }
        assertThat(new ContentTag(key).compute("t", new HashMap<>(Samples.EVENT), payload))
                .isEqualTo(tag)
                .hasSize(16);
    }

    @Test
    void contentTagsNeedAKeyOf32Bytes() {
        assertThatThrownBy(() -> new ContentTag(new byte[31])).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void dataDigestsAreTheGoldenOnes() throws Exception {
        for (JsonObject golden : Golden.objects("data-digest-v1.ndjson")) {
            assertThat(DataDigest.compute(base64(golden.string("salt")), base64(golden.string("payload"))))
                    .isEqualTo(base64(golden.string("digest")));
        }
    }

    @Test
    void dataDigestsNeedASaltOf16Bytes() {
        assertThatThrownBy(() -> DataDigest.compute(new byte[15], new byte[0]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DataDigest.compute(new byte[17], new byte[0]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void routesAsTheGoldenFileSays() throws Exception {
        for (JsonObject golden : Golden.objects("routing-v1.ndjson")) {
            String tenant = golden.string("tenant");
            String source = golden.string("source");
            String partitionKey = orNull(golden, "partitionKey");
            assertThat(HexFormat.of().formatHex(Routing.key(tenant, source, partitionKey)))
                    .isEqualTo(golden.string("key"));
            for (Map.Entry<String, JsonValue> shard :
                    golden.object("shards").members().entrySet()) {
                assertThat(new JsonInteger(
                                Routing.shard(tenant, source, partitionKey, Integer.parseInt(shard.getKey()))))
                        .isEqualTo(shard.getValue());
            }
        }
    }

    @Test
    void hashesAsKafkasMurmur2Does() {
        // The values Kafka pins its own function with.
        assertThat(murmur2("21")).isEqualTo(-973932308);
        assertThat(murmur2("foobar")).isEqualTo(-790332482);
        assertThat(murmur2("a-little-bit-long-string")).isEqualTo(-985981536);
        assertThat(murmur2("a-little-bit-longer-string")).isEqualTo(-1486304829);
        assertThat(murmur2("abc")).isEqualTo(479470107);
    }

    @Test
    void routesToAllShardsAndOnlyToThem() {
        Set<Integer> shards = new HashSet<>();
        Seeded.check(1000, random -> shards.add(Routing.shard(random.text(10), random.text(30), null, 8)));
        assertThat(shards).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7);
    }

    private static @Nullable String orNull(JsonObject object, String name) {
        return object.get(name) instanceof JsonString string ? string.value() : null;
    }

    private static byte[] base64(String text) {
        return Base64.getDecoder().decode(text);
    }

    private static int murmur2(String text) {
        byte[] bytes = Samples.utf8(text);
        return Routing.murmur2(bytes, bytes.length);
    }
}
