// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** A drill that is spoilt on purpose: it has to fail, in the named check and with the named reason, else the check is worth nothing. */
enum DrillMutation {
    DROPPED_EVENT(
            DrillCase.STATE_DIRECTORIES,
            DrillCheck.ACKNOWLEDGED,
            "^1 of [0-9]+: never-sent was acknowledged and is not proved") {
        @Override
        void spoil(DrillScene scene) {
            scene.forgeAcknowledgement();
        }
    },
    SHORT_LOG(DrillCase.STATE_DIRECTORIES, DrillCheck.ROOTS, "the kept checkpoint of size [0-9]+ is not among") {
        @Override
        void spoil(DrillScene scene) {
            scene.forgeLongerCheckpoint();
        }
    },
    EMPTY_CHANGELOGS(
            DrillCase.CHANGELOGS,
            DrillCheck.RESTORED,
            "a changelog was deleted or replaced|the state was lost while the group's offsets survived") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().createEmptyChangelogs();
            scene.cluster().startAgain(DrillCluster.PROCESSORS);
        }
    },
    SHORT_STORE(
            DrillCase.CHANGELOGS_FROM_ARCHIVE,
            DrillCheck.RESTORED,
            "object epochs/.* is missing, and topic .* has that epoch: the object store is shorter") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().forgetFromEpoch(scene.newest().epoch() - 2, List.of("epochs/"));
            drill().restore(scene);
        }
    },
    LOST_SNAPSHOT(
            DrillCase.CHANGELOGS_FROM_ARCHIVE,
            DrillCheck.PUBLISHED,
            "If this generation began with a snapshot, that is gone") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster()
                    .beginNewGenerationFromArchive(begun -> scene.cluster().deleteSnapshots());
        }
    },
    TRUNCATED_CHANGELOG(DrillCase.CHANGELOGS_FROM_ARCHIVE, DrillCheck.RESTORED, "the dedup window lacks tile 0") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().beginNewGenerationFromArchive(scene.cluster()::truncateWindowChangelog);
        }
    },
    SHIFTED_OFFSET(
            DrillCase.GROUP_OFFSETS,
            DrillCheck.RESTORED,
            "would go on at offset [0-9]+, but offset [0-9]+ is a committed record") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().shiftGroupOffsets(1);
            scene.cluster().startAgain(DrillCluster.PROCESSORS);
        }
    },
    ALTERED_OBJECT(
            DrillCase.OBJECT_STORE, DrillCheck.ARCHIVE, "^1 found; first segments/.* expected the digest in its name") {
        @Override
        void spoil(DrillScene scene) {
            scene.cluster().flipABitOfASegment();
        }
    },
    WRONG_KEY(DrillCase.OBJECT_STORE, DrillCheck.BUNDLES, "note-signature") {
        @Override
        void spoil(DrillScene scene) {
            scene.trustAnotherKey();
        }
    },
    LOST_EPOCHS(
            DrillCase.KAFKA, DrillCheck.RESTORED, "the object store has guard/.*: it lost epochs that were published") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().forgetFromEpoch(scene.newest().epoch() - 2, List.of("epochs/"));
            DrillCase.KAFKA.restore(scene);
        }
    },
    STALE_STORE(
            DrillCase.KAFKA,
            DrillCheck.RESTORED,
            "the object store has (segments|payloads|snapshots|packs)/.*: it lost epochs that were published") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().forgetFromEpoch(scene.newest().epoch() - 2, List.of("epochs/", "guard/"));
            DrillCase.KAFKA.restore(scene);
        }
    },
    OLD_COPY(DrillCase.KAFKA, DrillCheck.RESTORED, "the kept checkpoint of size [0-9]+ is not among the") {
        @Override
        void restore(DrillScene scene) {
            scene.forgeLongerCheckpoint();
            DrillCase.KAFKA.restore(scene);
        }
    },
    ALTERED_SEGMENT(
            DrillCase.KAFKA,
            DrillCheck.RESTORED,
            "the ledger cannot go on: object segments/.*: expected the digest in its name") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().flipABitOfASegment();
            DrillCase.KAFKA.restore(scene);
        }
    },
    NEW_LEDGER(
            DrillCase.KAFKA,
            DrillCheck.RESTORED,
            "topic checkpoints lost records: object guard/.* exists, the topic's last intent is -1") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().makeANewLedger();
        }
    },
    ALTERED_PACK(
            DrillCase.POINT_IN_TIME,
            DrillCheck.RESTORED,
            "refused: [0-9]+ found; first packs/.*: expected .*, actual ") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().flipABitOfAPack();
            DrillCase.POINT_IN_TIME.restore(scene);
        }
    },
    STALE_EPOCH(
            DrillCase.POINT_IN_TIME,
            DrillCheck.ROOTS,
            "^the kept checkpoint has size [0-9]+, the restored one [0-9]+$") {
        @Override
        void restore(DrillScene scene) {
            scene.cluster().restorePointInTime(scene.newest().epoch() - 1);
        }
    },
    ALTERED_ENTRY(DrillCase.POINT_IN_TIME, DrillCheck.ROOTS, "^shard/[0-9]+ gives root .*, published was ") {
        @Override
        void spoil(DrillScene scene) {
            scene.cluster()
                    .flipABitOfARestored(scene.cluster()
                            .restoredFiles("shard/0/tile/entries")
                            .get(0));
        }
    },
    ALTERED_TILE(DrillCase.POINT_IN_TIME, DrillCheck.ROOTS, "^shard/[0-9]+/tile gives root .*, published was ") {
        @Override
        void spoil(DrillScene scene) {
            scene.cluster()
                    .flipABitOfARestored(
                            scene.cluster().restoredFiles("shard/0/tile/0").get(0));
        }
    },
    UNRECORDED_EVENT(
            DrillCase.POINT_IN_TIME,
            DrillCheck.ACKNOWLEDGED,
            "^1 of [0-9]+ that the epoch accounts for are not one leaf each; first never-sent$") {
        @Override
        void spoil(DrillScene scene) {
            scene.forgeAcknowledgement();
        }
    };

    private final DrillCase drill;
    private final DrillCheck check;
    private final Pattern reason;

    DrillMutation(DrillCase drill, DrillCheck check, String reason) {
        this.drill = drill;
        this.check = check;
        this.reason = Pattern.compile(reason);
    }

    /** What is done instead of the case's own restore. */
    void restore(DrillScene scene) {
        drill.restore(scene);
    }

    /** What is done after the restore, before anything is verified. */
    void spoil(DrillScene scene) {}

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    DrillCase drill() {
        return drill;
    }

    /** The check that has to fail. */
    DrillCheck check() {
        return check;
    }

    /** Whether its check failed for its reason, and no check failed that has nothing to do with it. */
    boolean isShownBy(List<DrillCheck.Result> results) {
        List<DrillCheck.Result> failed = results.stream()
                .filter(result -> result.outcome() == DrillCheck.Outcome.FAILED)
                .toList();
        return failed.stream()
                        .anyMatch(result -> result.check() == check
                                && reason.matcher(result.detail()).find())
                && failed.stream().allMatch(result -> result.check() == check || others().contains(result.check()));
    }

    /** Checks that fail with it, because they need the same. */
    private Set<DrillCheck> others() {
        return switch (this) {
            case DROPPED_EVENT -> EnumSet.of(DrillCheck.HISTORY, DrillCheck.DEDUP);
            case SHORT_LOG -> EnumSet.of(DrillCheck.ARCHIVE, DrillCheck.OFFSETS);
            case EMPTY_CHANGELOGS,
                    SHIFTED_OFFSET,
                    ALTERED_PACK,
                    UNRECORDED_EVENT,
                    LOST_EPOCHS,
                    STALE_STORE,
                    OLD_COPY,
                    ALTERED_SEGMENT,
                    NEW_LEDGER,
                    SHORT_STORE,
                    LOST_SNAPSHOT,
                    TRUNCATED_CHANGELOG -> EnumSet.noneOf(DrillCheck.class);
            case ALTERED_OBJECT ->
                EnumSet.of(DrillCheck.ACKNOWLEDGED, DrillCheck.BUNDLES, DrillCheck.HISTORY, DrillCheck.DEDUP);
            case STALE_EPOCH, ALTERED_ENTRY, ALTERED_TILE ->
                EnumSet.of(DrillCheck.CONSISTENCY, DrillCheck.ACKNOWLEDGED, DrillCheck.BUNDLES);
            case WRONG_KEY ->
                EnumSet.of(
                        DrillCheck.ROOTS,
                        DrillCheck.ARCHIVE,
                        DrillCheck.CONSISTENCY,
                        DrillCheck.ACKNOWLEDGED,
                        DrillCheck.OFFSETS,
                        DrillCheck.GOES_ON);
        };
    }

    static List<DrillMutation> of(DrillCase drill) {
        return Arrays.stream(values())
                .filter(mutation -> mutation.drill == drill)
                .toList();
    }

    static DrillMutation of(String word) {
        return Arrays.stream(values())
                .filter(mutation -> mutation.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "there is no mutation " + word,
                        "Give --mutate all or one of "
                                + String.join(
                                        ", ",
                                        Arrays.stream(values())
                                                .map(DrillMutation::word)
                                                .toList())));
    }
}
