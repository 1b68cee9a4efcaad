// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** All settings of the processors. Each is checked at start ({@link ProcessorsConfigs}). */
@ConfigMapping(prefix = "attestream")
interface ProcessorsConfig {
    @Doc("Which topologies this process runs: `admission`, `sequencer`, `proofs`, separated by commas.")
    @WithDefault("admission,sequencer,proofs")
    List<String> roles();

    @Doc("Name of this instance, the same at every start: Kafka gives it its shards back without a rebalance.")
    String instanceId();

    @Doc("One life of the processors' state. A restore makes a new one.")
    @WithDefault("1")
    int generation();

    @Doc("`true` accepts topics that are not replicated. For one machine only.")
    @WithDefault("false")
    boolean dev();

    @Doc(
            "Milliseconds for which a process that stopped in doubt of what it reads goes on telling so in health and metrics before it"
                    + " ends, so that somebody is woken. At least two scrapes of Prometheus.")
    @WithDefault("40000")
    long doubtShownMillis();

    Kafka kafka();

    Topics topics();

    LedgerKeys ledger();

    State state();

    Objects objects();

    Http http();

    Internal internal();

    Admission admission();

    Door door();

    PayloadKeys payloadKeys();

    interface Kafka {
        @Doc("Kafka brokers, `host:port` separated by commas.")
        String bootstrapServers();

        @Doc(
                "File with the settings of security of every Kafka client, readable by its owner only: `security.protocol`, `sasl.*`,"
                        + " `ssl.*`, as Kafka's own tools take them. Without it the clients present nothing.")
        Optional<Path> configFile();
    }

    interface Topics {
        @Doc("First part of every topic name, group and application id.")
        @WithDefault("attestream")
        String prefix();
    }

    interface LedgerKeys {
        @Doc("Public key of the ledger (`name+hash+base64`). Must equal the one in the genesis records.")
        String verifierKey();
    }

    interface State {
        @Doc("Directory of the RocksDB stores. Local and fast; not shared, not a backup.")
        Path directory();

        @Doc("Bytes of the cache in front of the stores, of each topology. Never 0: state would be written per event.")
        @WithDefault("16777216")
        long cacheSizeBytes();

        @Doc("Copies of each shard's state kept warm on other instances.")
        @WithDefault("1")
        int standbyReplicas();

        @Doc("Milliseconds from the begin of one scrub of all stores to the begin of the next, at least.")
        @WithDefault("3600000")
        long scrubIntervalMillis();

        @Doc("Most bytes of keys and values a scrub reads of the stores in a second.")
        @WithDefault("10485760")
        long scrubBytesPerSecondMax();
    }

    interface Objects {
        @Doc(
                "The object store, to read packs: a directory, or `s3://<bucket>/<prefix>[?region=…&endpoint=…]`. With it the proof stores"
                        + " let go of what is in logged packs, and answer from there. Without it they grow with the log.")
        Optional<String> location();
    }

    interface Http {
        @Doc("Address of health, metrics and the internal proof queries.")
        @WithDefault("127.0.0.1")
        String host();

        @Doc("Its port; `0` takes a free one.")
        @WithDefault("8081")
        int port();
    }

    interface Internal {
        @Doc("File with the secret the gateway must present as a bearer token, 32 random bytes in base64.")
        Path secretFile();
    }

    interface Admission {
        @Doc(
                "Tenants whose inboxes are read, separated by commas. None: admission has nothing to do and is not started.")
        Optional<List<String>> tenants();
    }

    interface Door {
        @Doc(
                "File with the key of the content tag, 32 random bytes in base64, the same at every door. Needed by admission.")
        Optional<Path> contentTagKeyFile();
    }

    interface PayloadKeys {
        @Doc(
                "Where the keys of subjects are kept: a directory, or `s3://…`, that holds nothing else, is not in the object"
                        + " store, and was made by `attestream payload-keys`. The same at every door. If it is set, admission encrypts payloads of events with a `subject`, and they"
                        + " can be erased (docs/privacy.md); if not, they are stored in the clear.")
        Optional<String> location();

        @Doc(
                "File with the key those are encrypted under, readable by its owner only: 32 random bytes in base64, the same at"
                        + " every door.")
        Optional<Path> keyFile();

        @Doc("Keys of subjects in memory, 1 to 1000000.")
        @WithDefault("10000")
        int rememberedMax();
    }
}
