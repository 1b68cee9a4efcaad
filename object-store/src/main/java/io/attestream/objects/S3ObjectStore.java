// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects;

import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.NonRetryableException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * An object store in a bucket of S3, or of a server that speaks its protocol.
 *
 * <p>Objects are created by a conditional write ({@code If-None-Match: *}), so that of two writers one creates the object; every
 * write carries its SHA-256, which the server has to check. A write whose answer was lost is sent again by the SDK, and then
 * finds the object of its first attempt: {@code SameBytes}, which is as good.
 *
 * <p>A server that ignores either header would lose what this class promises, silently: see
 * {@link #requireKeepsItsPromises()}.
 */
public final class S3ObjectStore implements ObjectStore, AutoCloseable {
    private static final int CONFLICT_ATTEMPTS_MAX = 6;
    private static final int BODY_ATTEMPTS_MAX = 3;
    private static final int RANGE_NOT_SATISFIABLE = 416;
    private static final String PROBE = "probe/conditional-write";
    private static final String PROBE_DAMAGED = "probe/damaged-write-";
    private static final Set<String> BAD_DIGEST =
            Set.of("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch");

    /** Every operation here may be sent again; the limit is the time of the call. */
    private static final StandardRetryStrategy RETRIES = AwsRetryStrategy.standardRetryStrategy().toBuilder()
            .maxAttempts(30)
            .circuitBreakerEnabled(false)
            .backoffStrategy(BackoffStrategy.exponentialDelay(Duration.ofMillis(100), Duration.ofSeconds(5)))
            .throttlingBackoffStrategy(BackoffStrategy.exponentialDelay(Duration.ofMillis(500), Duration.ofSeconds(5)))
            .build();

    private final S3Client client;
    private final ObjectLocation.S3 location;

    /**
     * How long is waited.
     *
     * @param attempt for one request, with its body
     * @param call for all attempts of it, with pauses between them that grow to 5 s
     */
    record Timeouts(Duration connect, Duration attempt, Duration call) {
        /** An attempt takes an object of 256 MiB over 100 Mbit/s. A server that restarts is waited for. */
        static final Timeouts PATIENT =
                new Timeouts(Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofSeconds(75));

        static final Timeouts SERVING =
                new Timeouts(Duration.ofSeconds(2), Duration.ofSeconds(4), Duration.ofSeconds(8));
    }

    S3ObjectStore(S3Client client, ObjectLocation.S3 location) {
        this.client = client;
        this.location = location;
    }

    /** @throws IOException if the client cannot be made, as without a region */
    static S3ObjectStore open(ObjectLocation.S3 location, Timeouts timeouts) throws IOException {
        try {
            return new S3ObjectStore(builder(location, timeouts).build(), location);
        } catch (SdkException e) {
            throw new IOException(location + ": " + e.getMessage() + ". Add ?region=… to it, or set AWS_REGION", e);
        }
    }

    static S3ClientBuilder builder(ObjectLocation.S3 location, Timeouts timeouts) {
        S3ClientBuilder builder = S3Client.builder()
                .httpClientBuilder(UrlConnectionHttpClient.builder()
                        .connectionTimeout(timeouts.connect())
                        .socketTimeout(timeouts.attempt()))
                // A body as it is, at once: many servers that speak S3 know neither signed chunks nor 100-continue.
                .serviceConfiguration(S3Configuration.builder()
                        .chunkedEncodingEnabled(false)
                        .expectContinueEnabled(false)
                        .build())
                .overrideConfiguration(override -> override.apiCallAttemptTimeout(timeouts.attempt())
                        .apiCallTimeout(timeouts.call())
                        .retryStrategy(RETRIES));
        location.endpoint()
                .ifPresent(endpoint -> builder.endpointOverride(endpoint)
                        .forcePathStyle(true)
                        .region(Region.US_EAST_1)); // of no meaning there, but the SDK wants one
        location.region().map(Region::of).ifPresent(builder::region);
        return builder;
    }

    @Override
    public Optional<byte[]> get(String name) throws IOException {
        return get(name, null);
    }

    @Override
    public Optional<byte[]> get(String name, long offset, int length) throws IOException {
        if (offset < 0 || length < 0) {
            throw new IOException("object " + name + " has no bytes at " + offset + " to " + (offset + length));
        }
        if (length == 0) {
            return emptyPart(name, offset); // no range of HTTP is empty
        }
        Optional<byte[]> part = get(name, "bytes=" + offset + "-" + (offset + length - 1));
        if (part.isPresent() && part.get().length != length) {
            throw new TooShortException("object " + name + " has " + part.get().length + " bytes at " + offset
                    + ", not the " + length + " asked for");
        }
        return part;
    }

    private Optional<byte[]> emptyPart(String name, long offset) throws IOException {
        Optional<byte[]> all = get(name);
        if (all.isPresent() && all.get().length < offset) {
            throw new TooShortException("object " + name + " has " + all.get().length + " bytes, none at " + offset);
        }
        return all.map(bytes -> new byte[0]);
    }

    /** A body that was cut or damaged on its way is asked for again: the SDK does that only if no answer came. */
    private Optional<byte[]> get(String name, @Nullable String range) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return getOnce(name, range);
            } catch (DamagedException e) {
                if (attempt == BODY_ATTEMPTS_MAX) {
                    throw e;
                }
            }
        }
    }

    private static final class DamagedException extends IOException {
        DamagedException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    private Optional<byte[]> getOnce(String name, @Nullable String range) throws IOException {
        GetObjectRequest request = GetObjectRequest.builder()
                .bucket(location.bucket())
                .key(key(name))
                .range(range)
                .checksumMode(ChecksumMode.ENABLED)
                .build();
        try {
            ResponseBytes<GetObjectResponse> answer = call("get", name, () -> client.getObjectAsBytes(request));
            byte[] bytes = answer.asByteArrayUnsafe();
            Long announced = answer.response().contentLength();
            if (announced == null || announced != bytes.length) {
                throw new DamagedException(
                        "get " + name + " at " + location + ": " + bytes.length + " bytes came, " + announced
                                + " were announced",
                        null);
            }
            return Optional.of(bytes);
        } catch (NoSuchKeyException e) {
            return Optional.empty();
        } catch (S3Exception e) {
            if (range != null && e.statusCode() == RANGE_NOT_SATISFIABLE) {
                throw new TooShortException("object " + name + " has none of " + range);
            }
            throw failed("get", name, e);
        }
    }

    @Override
    public PutResult putIfAbsent(String name, byte[] bytes) throws IOException {
        return putIfAbsent(name, bytes, sha256Base64(bytes));
    }

    private PutResult putIfAbsent(String name, byte[] bytes, String digest) throws IOException {
        PutObjectRequest request = PutObjectRequest.builder()
                .bucket(location.bucket())
                .key(key(name))
                .ifNoneMatch("*")
                .checksumSHA256(digest)
                .build();
        for (int attempt = 1; ; attempt++) {
            try {
                call("put", name, () -> client.putObject(request, RequestBody.fromBytes(bytes)));
                return new PutResult.Created();
            } catch (S3Exception e) {
                // 412: an object is there. 409: another writer is at it; which of us was first shows in a moment.
                boolean isThere = e.statusCode() == HttpURLConnection.HTTP_PRECON_FAILED;
                boolean conflict = e.statusCode() == HttpURLConnection.HTTP_CONFLICT;
                if (!isThere && !conflict) {
                    throw failed("put", name, e);
                }
                Optional<byte[]> present = isThere ? get(name) : Optional.empty();
                if (present.isPresent()) {
                    return Arrays.equals(present.get(), bytes)
                            ? new PutResult.SameBytes()
                            : new PutResult.DifferentBytes();
                }
                if (attempt == CONFLICT_ATTEMPTS_MAX) {
                    throw failed("put", name, e);
                }
                pause(attempt);
            }
        }
    }

    /** Longer each time, about 6 s in all. */
    private static void pause(int attempt) throws IOException {
        try {
            Thread.sleep((100L << attempt) + ThreadLocalRandom.current().nextInt(100));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while another writer was at work");
        }
    }

    @Override
    public void replace(String name, byte[] bytes) throws IOException {
        PutObjectRequest request = PutObjectRequest.builder()
                .bucket(location.bucket())
                .key(key(name))
                .checksumSHA256(sha256Base64(bytes))
                .build();
        try {
            call("replace", name, () -> client.putObject(request, RequestBody.fromBytes(bytes)));
        } catch (S3Exception e) {
            throw failed("replace", name, e);
        }
    }

    @Override
    public void delete(String name) throws IOException {
        DeleteObjectRequest request = DeleteObjectRequest.builder()
                .bucket(location.bucket())
                .key(key(name))
                .build();
        try {
            call("delete", name, () -> client.deleteObject(request));
        } catch (S3Exception e) {
            throw failed("delete", name, e);
        }
    }

    @Override
    public List<String> list(String prefix) throws IOException {
        ListObjectsV2Request request = ListObjectsV2Request.builder()
                .bucket(location.bucket())
                .prefix(location.prefix() + prefix)
                .build();
        List<String> names = new ArrayList<>();
        try {
            call("list", prefix, () -> {
                names.clear();
                for (S3Object object : client.listObjectsV2Paginator(request).contents()) {
                    names.add(object.key().substring(location.prefix().length()));
                }
                return names;
            });
        } catch (S3Exception e) {
            throw failed("list", prefix, e);
        }
        names.sort(null);
        return names;
    }

    /**
     * Tries what everything else here relies on: that an object is not overwritten, and that one damaged on its way is refused.
     * Leaves one small object behind.
     *
     * @throws IOException if it is not so, or the store does not answer
     */
    public void requireKeepsItsPromises() throws IOException {
        putIfAbsent(PROBE, utf8("first"));
        PutResult second = putIfAbsent(PROBE, utf8("second"));
        if (!(second instanceof PutResult.DifferentBytes)) {
            throw new IOException(
                    location + " overwrites objects although told not to (If-None-Match: *): history could be"
                            + " lost without a trace. Use a store with conditional writes");
        }
        try {
            putIfAbsent(PROBE_DAMAGED + UUID.randomUUID(), utf8("damaged"), sha256Base64(utf8("not damaged")));
        } catch (IOException e) {
            if (e.getCause() instanceof S3Exception refused
                    && refused.awsErrorDetails() != null
                    && BAD_DIGEST.contains(refused.awsErrorDetails().errorCode())) {
                return;
            }
            throw e;
        }
        throw new IOException(location + " takes objects that do not have the digest they are sent with"
                + " (x-amz-checksum-sha256): what is damaged on its way would be stored. Use a store that checks");
    }

    @Override
    public void close() {
        client.close();
    }

    private String key(String name) {
        return location.prefix() + name;
    }

    /** Lets through what the server answered; everything else is an {@link IOException} at once. */
    private <T> T call(String what, String name, Supplier<T> request) throws IOException {
        try {
            return request.get();
        } catch (S3Exception e) {
            throw e;
        } catch (AbortedException e) {
            InterruptedIOException interrupted = new InterruptedIOException(what + " " + name + ": interrupted");
            interrupted.initCause(e);
            throw interrupted;
        } catch (SdkException e) {
            throw failed(what, name, e);
        }
    }

    /** The SDK calls what it will not read again not retryable: a body that is not what its checksum says. */
    private IOException failed(String what, String name, SdkException e) {
        String message = what + " " + name + " at " + location + ": " + e.getMessage();
        return e.getCause() instanceof NonRetryableException
                ? new DamagedException(message, e)
                : new IOException(message, e);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String sha256Base64(byte[] bytes) {
        try {
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
