// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks.jmh;

import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Appending to a tree, and verifying an inclusion proof in one. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class TreeBenchmark {
    private static final int LEAVES = 1 << 16;

    /** Of the entry that is hashed and appended. */
    @Param({"512", "4096"})
    public int entrySizeBytes;

    private byte[] entry = new byte[0];
    private final byte[] hash = new byte[Hash.SIZE_BYTES];
    private CompactRange range = CompactRange.empty();
    private List<Hash> path = List.of();
    private Hash leaf = Rfc6962.EMPTY_ROOT;
    private Hash root = Rfc6962.EMPTY_ROOT;

    /** A full tree of 65,536 leaves and the path of one of them. */
    @Setup(Level.Trial)
    public void grow() {
        entry = new byte[entrySizeBytes];
        new Random(1).nextBytes(entry);
        List<Hash> level = new ArrayList<>();
        for (int i = 0; i < LEAVES; i++) {
            level.add(Rfc6962.leafHash(new byte[] {(byte) i, (byte) (i >> 8)}));
        }
        int index = LEAVES / 3;
        leaf = level.get(index);
        List<Hash> siblings = new ArrayList<>();
        while (level.size() > 1) {
            siblings.add(level.get(index ^ 1));
            List<Hash> above = new ArrayList<>();
            for (int i = 0; i < level.size(); i += 2) {
                above.add(Rfc6962.nodeHash(level.get(i), level.get(i + 1)));
            }
            level = above;
            index /= 2;
        }
        path = siblings;
        root = level.get(0);
    }

    @Setup(Level.Iteration)
    public void empty() {
        range = CompactRange.empty();
    }

    /** Leaf hash and append, as the sequencer does for each event. */
    @Benchmark
    public CompactRange append() {
        Rfc6962.leafHash(entry, 0, entry.length, hash, 0);
        range.append(hash, 0);
        return range;
    }

    /** A path of 16 hashes. */
    @Benchmark
    public boolean verifyInclusion() {
        return Proofs.verifyInclusion(new LeafIndex(LEAVES / 3), new TreeSize(LEAVES), leaf, path, root);
    }
}
