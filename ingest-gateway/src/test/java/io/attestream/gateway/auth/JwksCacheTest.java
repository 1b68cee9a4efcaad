// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.access.AuthSettings;
import io.attestream.access.Environment;
import io.attestream.access.Start;
import io.attestream.access.StartGate;
import io.attestream.gateway.support.IdentityProvider;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JwksCacheTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    private static final RsaJsonWebKey OTHER_KEY = IdentityProvider.newKey("other");

    private final IdentityProvider issuer = new IdentityProvider();
    private final MovingClock clock = new MovingClock();
    private final AuthSettings.Tokens settings = settings();
    private final JwksCache cache = new JwksCache(settings, clock);
    private final Authenticator authenticator = new Authenticator(settings, cache, clock);

    /** A clock that moves only when it is told to. */
    private static final class MovingClock extends Clock {
        private volatile Instant now = Instant.now();

        void advance(Duration duration) {
            now = now.plus(duration);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    }

    private AuthSettings.Tokens settings() {
        Start start = StartGate.decide(new Environment(issuer.environment()));
        return (AuthSettings.Tokens) ((Start.Policy) start).settings();
    }

    @AfterEach
    void close() {
        cache.close();
        issuer.close();
    }

    private void startAndLoad() {
        cache.start();
        await().atMost(SOON).until(cache::isReady);
    }

    private AuthDecision decide(String token) {
        return authenticator.decide(token).toCompletableFuture().join();
    }

    /** Nobody is let in without keys: an age that looks good would end the page that says so. */
    @Test
    void withoutKeysTheAgeIsThatOfKeysThatAreTooOld() {
        // given: nothing was ever fetched
        assertThat(cache.isReady()).isFalse();
        assertThat(cache.age()).isEqualTo(settings.maxStale());

        // when
        clock.advance(Duration.ofMinutes(3));

        // then
        assertThat(cache.age()).isEqualTo(settings.maxStale().plusMinutes(3));

        // and when there are some
        startAndLoad();
        assertThat(cache.age()).isZero();
        clock.advance(Duration.ofSeconds(7));
        assertThat(cache.age()).isEqualTo(Duration.ofSeconds(7));
    }

    @ParameterizedTest(name = "usable for {0} s: every {1} s")
    @CsvSource({"60, 15", "120, 30", "1200, 300", "86400, 300"})
    void keysAreRenewedFourTimesInTheirLifeAtLeast(long maxStaleSeconds, long refreshSeconds) {
        assertThat(JwksCache.refreshInterval(Duration.ofSeconds(maxStaleSeconds)))
                .isEqualTo(Duration.ofSeconds(refreshSeconds));
    }

    private static String token(RsaJsonWebKey key) {
        return IdentityProvider.sign(IdentityProvider.claims("acme", "ingester").toJson(), key, header -> {});
    }

    @Test
    void withoutKeysNothingCanBeDecided() {
        // given
        issuer.answering(exchange -> IdentityProvider.send(exchange, 500, ""));
        cache.start();
        await().atMost(SOON).until(() -> issuer.fetches() >= 1);

        // when, then
        assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Undecidable.class);
        assertThat(cache.isReady()).isFalse();
    }

    @Test
    void comesBackByItselfWhenTheIssuerDoes() {
        // given
        issuer.answering(exchange -> IdentityProvider.send(exchange, 200, "<html>"));
        cache.start();
        await().atMost(SOON).until(() -> issuer.fetches() >= 1);
        assertThat(cache.isReady()).isFalse();

        // when
        issuer.answeringKeys();

        // then
        await().atMost(SOON).until(cache::isReady);
        assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Granted.class);
    }

    static Stream<String> junk() {
        String key = IdentityProvider.newKey("k").toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY);
        String many = IntStream.range(0, 65)
                .mapToObj(i -> key.replace("\"k\"", "\"k" + i + "\""))
                .collect(Collectors.joining(","));
        return Stream.of(
                "<html>",
                "",
                "[]",
                "{}",
                "{\"keys\":{}}",
                "{\"keys\":[]}",
                "{\"keys\":[1]}",
                "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0\"}]}",
                "{\"keys\":[" + key.replace("\"sig\"", "\"enc\"") + "]}",
                "{\"keys\":[" + key + "," + key + "]}",
                "{\"keys\":[" + many + "]}",
                "{\"keys\":[" + key + "],\"pad\":\"" + "x".repeat(256 * 1024) + "\"}");
    }

    @ParameterizedTest
    @MethodSource("junk")
    void junkNeverReplacesGoodKeys(String body) {
        // given
        startAndLoad();
        issuer.answering(exchange -> IdentityProvider.send(exchange, 200, body));
        int fetches = issuer.fetches();

        // when
        AuthDecision unknown = decide(token(OTHER_KEY));

        // then
        assertThat(issuer.fetches()).isGreaterThan(fetches);
        assertThat(unknown).isInstanceOf(AuthDecision.Undecidable.class);
        assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Granted.class);
    }

    @Test
    void theLastGoodKeysCountUpToTheStatedAge() {
        // given
        startAndLoad();
        String early = token(issuer.key());
        assertThat(decide(early)).isInstanceOf(AuthDecision.Granted.class);
        issuer.answering(exchange -> IdentityProvider.send(exchange, 500, ""));

        // when
        clock.advance(settings.maxStale().plusSeconds(1));

        // then
        assertThat(cache.isReady()).isFalse();
        assertThat(decide(early)).isInstanceOf(AuthDecision.Undecidable.class);
    }

    @Test
    void aRotatedKeyIsFoundAtOnceAndTheOldOneCountsNoMore() {
        // given
        startAndLoad();
        String old = token(issuer.key());
        assertThat(decide(old)).isInstanceOf(AuthDecision.Granted.class);

        // when
        issuer.rotate(IdentityProvider.newKey("key-2"));

        // then
        assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Granted.class);
        assertThat(decide(old)).isNotInstanceOf(AuthDecision.Granted.class);
    }

    @Test
    void forgedKeyIdsNeitherHammerTheIssuerNorHideARotation() {
        // given
        startAndLoad();
        int before = issuer.fetches();
        RsaJsonWebKey forged = IdentityProvider.newKey("forged");
        for (int i = 0; i < 50; i++) {
            forged.setKeyId("forged-" + i);
            assertThat(decide(token(forged))).isNotInstanceOf(AuthDecision.Granted.class);
        }
        assertThat(issuer.fetches() - before).isLessThanOrEqualTo(3);

        // when: the issuer rotates while the budget is used up
        issuer.rotate(IdentityProvider.newKey("key-2"));
        String rotated = token(issuer.key());

        // then: nobody is told that the token is bad, and it counts as soon as there is budget again
        assertThat(decide(rotated)).isInstanceOf(AuthDecision.Undecidable.class);
        clock.advance(Duration.ofSeconds(11));
        assertThat(decide(rotated)).isInstanceOf(AuthDecision.Granted.class);
    }

    @Test
    void aKeyIdThatAFreshSetLacksIsDenied() {
        // given
        startAndLoad();

        // when, then
        assertThat(decide(token(IdentityProvider.newKey("foreign")))).isEqualTo(new AuthDecision.Denied("unknown-key"));
    }

    @Test
    void anIssuerThatNeverAnswersDoesNotHoldUpAnybodyForLong() {
        // given
        startAndLoad();
        CountDownLatch over = new CountDownLatch(1);
        issuer.answering(exchange -> {
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            String token = token(IdentityProvider.newKey("other"));

            // when
            long begun = System.nanoTime();
            AuthDecision unknown = decide(token);
            Duration took = Duration.ofNanos(System.nanoTime() - begun);

            // then
            assertThat(unknown).isInstanceOf(AuthDecision.Undecidable.class);
            // Two seconds, and room for a busy machine; clients of other libraries wait 81 s here.
            assertThat(took).isLessThan(Duration.ofSeconds(20));
            assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Granted.class);
        } finally {
            over.countDown();
        }
    }

    /** Answers with headers, then a byte now and then, for ever. */
    @Test
    void anIssuerThatTricklesItsKeysDoesNotHoldUpAnybodyForLong() {
        // given
        startAndLoad();
        CountDownLatch over = new CountDownLatch(1);
        issuer.answering(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try {
                do {
                    exchange.getResponseBody().write(' ');
                    exchange.getResponseBody().flush();
                } while (!over.await(100, TimeUnit.MILLISECONDS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            // when
            long begun = System.nanoTime();
            AuthDecision unknown = decide(token(IdentityProvider.newKey("other")));

            // then
            assertThat(unknown).isInstanceOf(AuthDecision.Undecidable.class);
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(SOON.multipliedBy(2));
            assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Granted.class);
        } finally {
            over.countDown();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 206, 301, 302, 307, 401, 404, 429, 500, 503})
    void onlyAnAnswerOf200BringsKeysAndNoneLeadsElsewhere(int status) {
        // given
        startAndLoad();
        RsaJsonWebKey next = OTHER_KEY;
        String keys = IdentityProvider.keySet(next);
        issuer.answering(exchange -> {
            exchange.getResponseHeaders().set("Location", issuer.jwksUrl() + "?elsewhere");
            boolean elsewhere = exchange.getRequestURI().getQuery() != null;
            IdentityProvider.send(exchange, elsewhere ? 200 : status, status == 204 ? "" : keys);
        });

        // when, then
        assertThat(decide(token(next))).isInstanceOf(AuthDecision.Undecidable.class);
        assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Granted.class);
    }

    @Test
    void aFloodOfUnknownKeyIdsSharesWhatIsFetched() {
        // given: an issuer that takes its time
        startAndLoad();
        CountDownLatch over = new CountDownLatch(1);
        String keys = IdentityProvider.keySet(issuer.key());
        issuer.answering(exchange -> {
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            IdentityProvider.send(exchange, 200, keys);
        });
        int before = issuer.fetches();
        RsaJsonWebKey forged = IdentityProvider.newKey("forged");

        // when
        List<CompletableFuture<AuthDecision>> decisions = IntStream.range(0, 200)
                .mapToObj(i -> {
                    forged.setKeyId("forged-" + i);
                    return authenticator.decide(token(forged)).toCompletableFuture();
                })
                .toList();
        over.countDown();

        // then
        assertThat(decisions)
                .allSatisfy(decision -> assertThat(decision.join()).isNotInstanceOf(AuthDecision.Granted.class));
        assertThat(issuer.fetches() - before).isLessThanOrEqualTo(3);
    }

    /** Whoever guesses the id of the next key must not keep it out. */
    @Test
    void aKeyIdThatWasAskedForBeforeItsTimeIsFoundWhenItsTimeComes() {
        // given
        startAndLoad();
        RsaJsonWebKey next = IdentityProvider.newKey("key-2");
        assertThat(decide(token(next))).isEqualTo(new AuthDecision.Denied("unknown-key"));
        int before = issuer.fetches();
        assertThat(decide(token(next))).isEqualTo(new AuthDecision.Denied("unknown-key"));
        assertThat(issuer.fetches()).isEqualTo(before);

        // when
        issuer.rotate(next);
        clock.advance(Duration.ofSeconds(10));

        // then
        assertThat(decide(token(next))).isInstanceOf(AuthDecision.Granted.class);
    }

    @Test
    void aTokenThatIsRememberedCountsNoMoreWhenItsKeyIsReplacedUnderTheSameId() {
        // given
        startAndLoad();
        String token = token(issuer.key());
        assertThat(decide(token)).isInstanceOf(AuthDecision.Granted.class);

        // when: another key under its id, seen by way of any fetch
        issuer.rotate(IdentityProvider.newKey(issuer.key().getKeyId()));
        decide(token(IdentityProvider.newKey("other")));

        // then
        assertThat(decide(token)).isEqualTo(new AuthDecision.Denied("bad-signature"));
        assertThat(decide(token(issuer.key()))).isInstanceOf(AuthDecision.Granted.class);
    }

    @Test
    void aTokenThatIsRememberedIsKnownInOneSpellingOnly() {
        // given
        startAndLoad();
        String token = token(issuer.key());
        assertThat(decide(token)).isInstanceOf(AuthDecision.Granted.class);

        // when, then
        for (String other : List.of(token + "=", token + "==", token + "\n", " " + token, token.replace('.', ','))) {
            assertThat(decide(other)).isEqualTo(new AuthDecision.Denied("malformed"));
        }
    }

    /** The new key is published before it signs and the old one until its tokens have expired, as issuers do it. */
    @Test
    void aRotationUnderLoadRefusesNobody() throws Exception {
        // given
        startAndLoad();
        AtomicReference<RsaJsonWebKey> signing = new AtomicReference<>(issuer.key());
        AtomicReference<String> published = new AtomicReference<>(IdentityProvider.keySet(issuer.key()));
        issuer.answering(exchange -> IdentityProvider.send(exchange, 200, published.get()));
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger granted = new AtomicInteger();
        Queue<AuthDecision> others = new ConcurrentLinkedQueue<>();
        Runnable client = () -> {
            for (int i = 0; !over.get(); i++) {
                RsaJsonWebKey key = signing.get();
                AuthDecision decision = decide(IdentityProvider.sign(
                        IdentityProvider.claims("acme", "t" + i).toJson(), key, header -> {}));
                if (decision instanceof AuthDecision.Granted) {
                    granted.incrementAndGet();
                } else {
                    others.add(decision);
                }
            }
        };
        // Made before there is load: making keys is what takes time here.
        List<RsaJsonWebKey> rotated = IntStream.range(0, 3)
                .mapToObj(i -> IdentityProvider.newKey("rotated-" + i))
                .toList();
        List<Thread> clients =
                Stream.generate(() -> new Thread(client)).limit(3).toList();
        clients.forEach(Thread::start);
        try {
            for (RsaJsonWebKey next : rotated) {
                RsaJsonWebKey old = signing.get();

                // when
                published.set(IdentityProvider.keySet(old, next));
                int before = granted.get();
                await().atMost(SOON).until(() -> granted.get() > before + 10);
                signing.set(next);
                int since = granted.get();
                await().atMost(SOON).until(() -> granted.get() > since + 10);
                clock.advance(Duration.ofSeconds(10));
            }
        } finally {
            over.set(true);
            for (Thread thread : clients) {
                thread.join(SOON.toMillis());
            }
        }

        // then
        assertThat(others).isEmpty();
    }

    @Test
    void aRememberedTokenExpiresOnTime() {
        // given
        startAndLoad();
        String token = token(issuer.key());
        assertThat(decide(token)).isInstanceOf(AuthDecision.Granted.class);

        // when
        clock.advance(Duration.ofSeconds(600 + 61));

        // then
        assertThat(decide(token)).isEqualTo(new AuthDecision.Denied("expired"));
    }
}
