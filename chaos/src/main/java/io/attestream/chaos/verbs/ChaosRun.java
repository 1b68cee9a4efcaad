// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Does a fault for a time, watching meanwhile whether it has to end early. */
public final class ChaosRun {
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LOOK_TIMEOUT = Duration.ofSeconds(5);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final ChaosTarget target;
    private final Duration lasts;
    private final Optional<URI> abortWhen;
    private final Consumer<String> progress;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(LOOK_TIMEOUT).build();

    /**
     * A run that is ready to begin.
     *
     * @param lasts 1 s to {@link Injection#LIMIT}
     * @param abortWhen asked twice a second: the fault ends early once it does not answer 200
     * @param progress is told what is done, for people
     * @throws ChaosRefused if it is to last too long or too short, or the URL is none
     */
    public ChaosRun(ChaosTarget target, Duration lasts, Optional<URI> abortWhen, Consumer<String> progress) {
        if (lasts.compareTo(SHORTEST) < 0 || lasts.compareTo(Injection.LIMIT) > 0) {
            throw new ChaosRefused(
                    "a fault lasts 1 s to " + Injection.LIMIT.toMinutes() + " min, not " + lasts.toMillis() + " ms",
                    "Give for example --for 30s.");
        }
        abortWhen.ifPresent(url -> {
            if (url.getHost() == null || !String.valueOf(url.getScheme()).matches("https?")) {
                throw new ChaosRefused(
                        url + " cannot be watched",
                        "Give --abort-when an http URL that answers 200 while all is well.");
            }
        });
        this.target = target;
        this.lasts = lasts;
        this.abortWhen = abortWhen;
        this.progress = progress;
    }

    /**
     * Returns when it was undone.
     *
     * @throws IllegalStateException if it failed, or not all of it could be undone
     */
    public ChaosResult run(Verb verb, String service, Parameters parameters) {
        try {
            requireWell();
            try (Injection injection = target.inject(verb, service, parameters)) {
                progress.accept(verb.word() + " " + service + " for " + lasts.toSeconds() + " s");
                injection.details().forEach((name, value) -> progress.accept("  " + name + ": " + value));
                Optional<String> abort = watch(injection);
                progress.accept("undoing it");
                injection.close();
                return abort.isPresent()
                        ? new ChaosResult.Aborted(abort.get(), injection.undone())
                        : new ChaosResult.Done(injection.details(), injection.undone());
            }
        } catch (ChaosRefused e) {
            return new ChaosResult.Refused(String.valueOf(e.getMessage()), e.next());
        } catch (ChaosSkipped e) {
            return new ChaosResult.Skipped(String.valueOf(e.getMessage()));
        }
    }

    /** A fault that would be aborted at once is not begun. */
    private void requireWell() {
        abortWhen.flatMap(this::trouble).ifPresent(trouble -> {
            throw new ChaosRefused(
                    "the abort condition holds already: " + trouble, "Begin when it is well, or without --abort-when.");
        });
    }

    /** Why it has to end early; empty if its time is over. */
    private Optional<String> watch(Injection injection) {
        long end = System.nanoTime() + lasts.toNanos();
        for (long left = lasts.toNanos(); left > 0; left = end - System.nanoTime()) {
            if (injection.isEnded()) {
                return Optional.of("this process was told to end");
            }
            Optional<String> trouble = abortWhen.flatMap(this::trouble);
            if (trouble.isPresent()) {
                return trouble;
            }
            LockSupport.parkNanos(Math.min(LOOK_NANOS, left));
        }
        return Optional.empty();
    }

    private Optional<String> trouble(URI url) {
        HttpRequest request = HttpRequest.newBuilder(url).timeout(LOOK_TIMEOUT).build();
        try {
            int status =
                    http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            return status == 200 ? Optional.empty() : Optional.of(url + " answers " + status);
        } catch (IOException e) {
            return Optional.of(url + " does not answer");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        }
    }
}
