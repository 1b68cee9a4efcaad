// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The gateway's settings beside authentication (see {@link io.attestream.access.AuthVariable}) and Quarkus. */
@ConfigMapping(prefix = "attestream")
public interface GatewayConfig {
    @Describe("`true` relaxes what the topic check demands of replication. Refused in production.")
    @WithDefault("false")
    boolean dev();

    Kafka kafka();

    Topics topics();

    Ledger ledger();

    Internal internal();

    Proofs proofs();

    Objects objects();

    Door door();

    PayloadKeys payloadKeys();

    Admission admission();

    Ingest ingest();

    Quota quota();

    Tls tls();

    Producer producer();

    Lag lag();

    Ops ops();

    /** The cluster. */
    interface Kafka {
        @Describe("Brokers, `host:port`, comma-separated.")
        String bootstrapServers();

        @Describe(
                "File with the settings of security of every Kafka client, readable by its owner only: `security.protocol`, `sasl.*`,"
                        + " `ssl.*`, as Kafka's own tools take them. Without it the clients present nothing.")
        Optional<Path> configFile();
    }

    /** Topic names. */
    interface Topics {
        @Describe("First part of every topic name.")
        @WithDefault("attestream")
        String prefix();
    }

    /** What the gateway trusts. */
    interface Ledger {
        @Describe("Verifier key of the ledger (C2SP signed note). The genesis records must be signed by it.")
        String verifierKey();
    }

    /** Between the services. */
    interface Internal {
        @Describe("File with the bearer secret of the internal HTTP interfaces.")
        Path secretFile();
    }

    /** The proofs role of the processors. */
    interface Proofs {
        @Describe("Base URLs of the proofs instances, comma-separated.")
        List<URI> urls();

        @Describe("Longest wait for one instance before the next is asked.")
        @WithDefault("2s")
        Duration timeout();
    }

    /** The object store. */
    interface Objects {
        @Describe(
                "The object store the checkpointer writes: a directory, or `s3://<bucket>/<prefix>[?region=…&endpoint=…]`.")
        String location();

        @Describe("Heap for segments and payload objects, in bytes.")
        @WithDefault("134217728")
        long cacheBytes();
    }

    /** What makes this a door of the ledger. */
    interface Door {
        @Describe("File with the content tag key: 32 random bytes in base64, the same at every door.")
        Path contentTagKeyFile();
    }

    /** Keys of subjects, so that payloads can be erased. */
    interface PayloadKeys {
        @Describe(
                "Where the keys of subjects are kept: a directory, or `s3://…`, that holds nothing else, is not in the"
                        + " object store, and was made by `attestream payload-keys`. The same at every door. If it is set, payloads of events with a `subject` are encrypted, and"
                        + " can be erased (docs/privacy.md); if not, they are stored in the clear.")
        Optional<String> location();

        @Describe(
                "File with the key those are encrypted under, readable by its owner only: 32 random bytes in base64, the same at"
                        + " every door.")
        Optional<Path> keyFile();

        @Describe("Keys of subjects in memory, 1 to 1000000.")
        @WithDefault("10000")
        int rememberedMax();
    }

    /** What may be in flight at once; beyond it the answer is 503. */
    interface Admission {
        @Describe("Bytes of bodies read or being written to Kafka.")
        @WithDefault("67108864")
        long maxInFlightBytes();

        @Describe("Events being read or written to Kafka, and as many again whose callers wait for publication.")
        @WithDefault("20000")
        int maxInFlightEvents();
    }

    /** What one tenant and one subject of a token may append through one gateway; beyond it the answer is 429. */
    interface Quota {
        @Describe("Events of one tenant a second through one gateway; `0` is no limit.")
        @WithDefault("200000")
        long tenantEventsPerSecond();

        @Describe("Bytes of records of one tenant a second through one gateway; `0` is no limit.")
        @WithDefault("536870912")
        long tenantBytesPerSecond();

        @Describe("Events of one subject of a tenant a second through one gateway; `0` is no limit.")
        @WithDefault("100000")
        long subjectEventsPerSecond();

        @Describe("Bytes of records of one subject of a tenant a second through one gateway; `0` is no limit.")
        @WithDefault("268435456")
        long subjectBytesPerSecond();

        @Describe("As much as comes in this time by these quotas may come at once: whole seconds, 1 to 600.")
        @WithDefault("10s")
        Duration burst();

        @Describe(
                "Tenants, and subjects, whose use is remembered. Of more the quietest begin again with a whole burst.")
        @WithDefault("10000")
        int maxRemembered();
    }

    /** TLS of the API beyond what Quarkus has settings for at start. */
    interface Tls {
        @Describe("`true`: who connects to the API needs a certificate that the trust store of its TLS configuration"
                + " accepts (mutual TLS), beside a token.")
        @WithDefault("false")
        boolean clientCertificateRequired();
    }

    /** Limits of one request. */
    interface Ingest {
        @Describe("Bytes of a body that is a single event or a JSON batch.")
        @WithDefault("8388608")
        long maxBodyBytes();

        @Describe("Events of a JSON batch.")
        @WithDefault("1000")
        int maxBatchEvents();

        @Describe("Bytes of one NDJSON line. A longer line is refused and reading goes on behind it.")
        @WithDefault("1572864")
        int maxLineBytes();

        @Describe("Events of one NDJSON stream that are read but not yet answered.")
        @WithDefault("512")
        int maxStreamInFlightEvents();

        @Describe("How long a single event or a batch may take to arrive.")
        @WithDefault("30s")
        Duration bodyTimeout();

        @Describe("Longest `Prefer: wait` that is honoured.")
        @WithDefault("30s")
        Duration maxWait();

        @Describe("How long a stop waits for events in flight.")
        @WithDefault("20s")
        Duration drainTimeout();
    }

    /** The producer; what safety depends on (`acks`, idempotence) cannot be set. */
    interface Producer {
        @Describe("How long the producer gathers a batch.")
        @WithDefault("2ms")
        Duration linger();

        @Describe("Size of a batch in bytes.")
        @WithDefault("131072")
        int batchBytes();

        @Describe(
                "Bytes the producer may hold back. More than `attestream.admission.max-in-flight-bytes` never wait here.")
        @WithDefault("134217728")
        long bufferBytes();

        @Describe("`none`, `lz4`, `snappy`, `zstd` or `gzip`.")
        @WithDefault("lz4")
        String compression();

        @Describe("Longest wait for metadata or buffer before an event is answered `unavailable`.")
        @WithDefault("1s")
        Duration maxBlock();

        @Describe("Longest wait for one answer of a broker.")
        @WithDefault("5s")
        Duration requestTimeout();

        @Describe("Longest wait for the acknowledgement before an event is answered `unknown`.")
        @WithDefault("12s")
        Duration deliveryTimeout();
    }

    /** Looks at consumer groups. */
    interface Lag {
        @Describe("Between looks at the consumer groups of the cluster, all of them.")
        @WithDefault("10s")
        Duration interval();
    }

    /** The page {@code /ops}. */
    interface Ops {
        @Describe("Between looks at what the page `/ops` shows.")
        @WithDefault("5s")
        Duration interval();

        @Describe("Base URL of the Prometheus that has the rules of `deploy/prometheus`. If not set, objectives and"
                + " alerts are unknown on the page.")
        Optional<URI> prometheusUrl();

        @Describe("Longest wait for one answer of Prometheus.")
        @WithDefault("2s")
        Duration prometheusTimeout();

        @Describe(
                "Directory with `drills/`, `game-days/` and `fsck/`, as under `artifacts/`. If not set, when they were carried"
                        + " out is unknown on the page and in the metrics.")
        Optional<Path> evidenceDir();
    }
}
