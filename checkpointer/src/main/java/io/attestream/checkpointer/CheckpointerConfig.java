// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** All settings of the checkpointer. Each is checked at start ({@link CheckpointerConfigs}). */
@ConfigMapping(prefix = "attestream")
public interface CheckpointerConfig {
    Kafka kafka();

    Topics topics();

    @Doc(
            "One life of the processors' state; records of other generations are not read. Must equal the processors' setting.")
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

    LedgerKeys ledger();

    Internal internal();

    Objects objects();

    PayloadKeys payloadKeys();

    Http http();

    Checkpointer checkpointer();

    Packs packs();

    Snapshots snapshots();

    interface Kafka {
        @Doc("Kafka brokers, `host:port` separated by commas.")
        String bootstrapServers();

        @Doc(
                "File with the settings of security of every Kafka client, readable by its owner only: `security.protocol`, `sasl.*`,"
                        + " `ssl.*`, as Kafka's own tools take them. Without it the clients present nothing.")
        Optional<Path> configFile();
    }

    interface Topics {
        @Doc("First part of every topic name and of the transactional id `<prefix>.checkpointer`, which keeps a second "
                + "checkpointer of the same ledger from writing.")
        @WithDefault("attestream")
        String prefix();
    }

    interface LedgerKeys {
        @Doc(
                "Public key of the ledger (`name+hash+base64`). Must equal the one in the genesis records: the first key for ever,"
                        + " also when others sign.")
        String verifierKey();

        @Doc(
                "File with the private key (`PRIVATE+KEY+…`), readable by its owner only. Several, separated by commas, while one key"
                        + " follows another. Either this or `attestream.ledger.signing-key`.")
        Optional<List<Path>> signingKeyFile();

        @Doc(
                "The private key itself, meant for the environment variable `ATTESTREAM_LEDGER_SIGNING_KEY`. Never logged.")
        Optional<String> signingKey();

        @Doc(
                "File with an ML-DSA-44 key (`PRIVATE+KEY+…`, type 0x06, named like the ledger; `attestream keys generate --ml-dsa`),"
                        + " readable by its owner only. Checkpoints are then signed with it too. Needs Java 24 or newer.")
        Optional<Path> mlDsaKeyFile();

        @Doc(
                "File with all changes of the ledger's keys (`attestream keys announce`, `attestream keys retire`); what is new in it is"
                        + " logged in the next epoch. Needed from the first change on.")
        Optional<Path> keyChangesFile();
    }

    /** Between the services. */
    interface Internal {
        @Doc(
                "File with the secret that must be presented as a bearer token to ask for a snapshot (`POST /snapshots`), the same as"
                        + " the processors'. Without it nobody can.")
        Optional<Path> secretFile();
    }

    interface Objects {
        @Doc("The object store of segments, payloads and guard copies: a directory on durable storage that is not the"
                + " brokers' disk, or `s3://<bucket>/<prefix>[?region=…&endpoint=…]` with credentials from the AWS SDK's"
                + " default chain.")
        String location();
    }

    interface PayloadKeys {
        @Doc(
                "Where the keys of subjects are kept, as the doors have it. With it, what is encrypted under destroyed keys is"
                        + " taken out of payload packs (docs/privacy.md). The key those are encrypted under is not needed here.")
        Optional<String> location();
    }

    interface Http {
        @Doc("Address of health and metrics.")
        @WithDefault("127.0.0.1")
        String host();

        @Doc("Port of health and metrics; `0` takes a free one.")
        @WithDefault("8082")
        int port();
    }

    interface Packs {
        @Doc("Leaves of a full pack, a multiple of 256.")
        @WithDefault("65536")
        int leavesMax();

        @Doc(
                "Bytes of entries and payloads at which a pack is closed, at the next multiple of 256 leaves. Up to four times as much"
                        + " is needed in memory while a pack is made.")
        @WithDefault("268435456")
        long sizeBytesMax();

        @Doc("Milliseconds after which published leaves are packed although they do not fill a pack.")
        @WithDefault("3600000")
        long ageMillisMax();

        @Doc(
                "Milliseconds for which a segment is kept after its leaves are in logged packs: readers may not know of those yet. At least a"
                        + " minute, unless `attestream.dev` is set.")
        @WithDefault("600000")
        long segmentGraceMillis();
    }

    interface Snapshots {
        @Doc("Milliseconds between snapshots while there is something new; `0` takes them on demand only.")
        @WithDefault("3600000")
        long intervalMillis();

        @Doc("How many snapshots are kept; older ones are removed when a newer one was read back.")
        @WithDefault("3")
        int kept();

        @Doc(
                "`true` begins with the first record at every start, whatever snapshots there are: everything is recomputed. Not possible once topics were trimmed behind snapshots.")
        @WithDefault("false")
        boolean ignored();
    }

    interface Checkpointer {
        @Doc(
                "`true` stands by while another checkpointer of the ledger works that has this set too, and takes over some ten"
                        + " seconds after that one is gone. Otherwise, whoever starts takes over from whoever works.")
        @WithDefault("false")
        boolean standby();

        @Doc("Milliseconds between epochs while there is something new.")
        @WithDefault("500")
        long intervalMillis();

        @Doc("Milliseconds between notes of the shards' own logs; only shards that grew get one.")
        @WithDefault("2000")
        long shardNotesIntervalMillis();

        @Doc("Most leaves in one epoch, shared evenly by the shards.")
        @WithDefault("262144")
        long epochLeavesMax();

        @Doc(
                "Most bytes of entries and payloads in one epoch, shared evenly by the shards. A single delta that is larger is "
                        + "an epoch's share alone.")
        @WithDefault("33554432")
        long epochSizeBytesMax();

        @Doc(
                "Most bytes of one shard's leaves held in memory before they are published; reading of that shard pauses above.")
        @WithDefault("33554432")
        long shardBacklogBytesMax();

        @Doc(
                "Milliseconds from the begin of one scrub of the whole object store, or of all of topic `events`, to the begin of the next, at least.")
        @WithDefault("3600000")
        long scrubIntervalMillis();

        @Doc("Most bytes a scrub reads in a second, of the object store and of topic `events` each.")
        @WithDefault("10485760")
        long scrubBytesPerSecondMax();
    }
}
