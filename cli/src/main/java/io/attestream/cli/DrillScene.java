// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.monitor.HttpCheckpointSource;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.TreeSize;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** A drill's cluster with what an auditor kept of it before the damage: what is judged afterwards is held against this. */
final class DrillScene {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int BUNDLES = 20;

    private final DrillCluster cluster;
    private final DrillRecord record;
    private final DrillLoad load;
    private NoteVerifier key;
    private Checkpoint kept;
    private String keptNote = "";
    private NewestEpoch newest = NewestEpoch.NONE;
    private MonitorState watched;
    private final Map<String, String> bundles = new LinkedHashMap<>();

    /** Takes the state of now, of a ledger under load. */
    DrillScene(DrillCluster cluster, DrillRecord record, DrillLoad load) {
        this.cluster = cluster;
        this.record = record;
        this.load = load;
        this.key = Connection.parseKey(cluster.vkey());
        Api auditor = cluster.api("auditor");
        load.acknowledged().stream()
                .limit(BUNDLES)
                .forEach(event -> bundles.put(
                        event.id(),
                        ReceiptCommand.await(auditor, event.href(), PATIENCE)
                                .path("bundle")
                                .toString()));
        Monitor monitor = monitor(MonitorState.initial(key.keyName(), key));
        DrillCluster.await("the monitor has seen everything", () -> monitor.check() instanceof MonitorResult.Ok);
        this.watched = monitor.state();
        this.keptNote = auditor.require("/v1/checkpoint", "text/plain").text();
        this.kept = Checkpoints.verified(keptNote, key, "the newest checkpoint");
        this.newest = NewestEpoch.fetch(auditor, kept.size().value() - 1);
    }

    DrillCluster cluster() {
        return cluster;
    }

    /** Of everything clients did. */
    DrillRecord record() {
        return record;
    }

    DrillLoad load() {
        return load;
    }

    /** The key that is trusted. */
    NoteVerifier key() {
        return key;
    }

    /** The ledger checkpoint kept before. */
    Checkpoint kept() {
        return kept;
    }

    String keptNote() {
        return keptNote;
    }

    NewestEpoch newest() {
        return newest;
    }

    /** Proof bundles by event id, saved before. */
    Map<String, String> bundles() {
        return bundles;
    }

    /** The monitor that watched before, going on. */
    Monitor monitor() {
        return monitor(watched);
    }

    private Monitor monitor(MonitorState state) {
        Api auditor = cluster.api("auditor");
        return new Monitor(key.keyName(), key, new HttpCheckpointSource(auditor.base(), auditor.token()), state);
    }

    // ---- what mutations do

    void forgeAcknowledgement() {
        load.forge();
    }

    void forgeLongerCheckpoint() {
        kept = new Checkpoint(kept.origin(), new TreeSize(kept.size().value() + 1_000_000), kept.root());
    }

    void trustAnotherKey() {
        key = NoteSigner.generate(key.keyName(), new SecureRandom()).verifier();
    }
}
