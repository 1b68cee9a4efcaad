// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.keys.PayloadKeys;
import io.attestream.gateway.ledger.OpenLedger;
import io.attestream.gateway.support.TestLedger;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.ledger.BundleReport.Outcome;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.TreeSize;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a gateway gives out of events that were published before the ledger's key was replaced. */
class BundlesOfReplacedKeysTest {
    @TempDir
    private Path directory;

    private TestLedger ledger;

    @BeforeEach
    void publish() {
        ledger = new TestLedger(directory);
        ledger.event(0, 10, TestLedger.OWN_TENANT, "one", "payload");
        ledger.publish();
    }

    @AfterEach
    void close() {
        ledger.close();
    }

    /** As a gateway gives it that was just started: what it knows of the keys is a second old at most. */
    private ProofBundle bundle() throws Exception {
        GatewayConfig config = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withMapping(GatewayConfig.class)
                .withValidateUnknown(false)
                .withDefaultValues(Map.of(
                        "attestream.kafka.bootstrap-servers", "127.0.0.1:1",
                        "attestream.ledger.verifier-key", "k",
                        "attestream.internal.secret-file", "s",
                        "attestream.objects.location", "o",
                        "attestream.door.content-tag-key-file", "t",
                        "attestream.proofs.urls", ledger.url().toString()))
                .build()
                .getConfigMapping(GatewayConfig.class);
        ProofsClient proofs = new ProofsClient(config, () -> TestLedger.SECRET, new ObjectMapper());
        Archive archive = new Archive(new DirectoryObjectStore(directory), 1 << 20);
        OpenLedger open = new OpenLedger(ledger.signer().verifier(), TestLedger.SHARDS, 1, null, null);
        return new BundleAssembler(proofs, new StoredLeaves(proofs, archive), archive, new PayloadKeys(config))
                .assemble(open, 0, 0)
                .orElseThrow()
                .bundle();
    }

    private static TreeSize size(ProofBundle bundle) throws Exception {
        return Checkpoint.parse(SignedNote.parse(bundle.note()).text()).size();
    }

    private Outcome currentKey(ProofBundle bundle) {
        return new BundleVerifier(ledger.keys())
                .verify(bundle, null).checks().stream()
                        .filter(check -> check.name().equals(BundleVerifier.CURRENT_KEY))
                        .findFirst()
                        .orElseThrow()
                        .outcome();
    }

    @Test
    void aBundleIsThatOfItsEpochWhileItsKeySigns() throws Exception {
        ledger.publish();
        assertThat(size(bundle())).isEqualTo(new TreeSize(1));
    }

    @Test
    void aBundleOfAKeyThatWasReplacedIsGivenUnderTheNewestCheckpoint() throws Exception {
        // given
        ProofBundle before = bundle();

        // when
        ledger.announceKey();
        ledger.publish();
        ledger.publish();

        // then: what was kept proves nothing by itself, and another one is to be had
        assertThat(currentKey(before)).isEqualTo(Outcome.NOT_MADE);
        ProofBundle after = bundle();
        assertThat(size(after)).isEqualTo(new TreeSize(4));
        assertThat(currentKey(after)).isEqualTo(Outcome.PASSED);
    }
}
