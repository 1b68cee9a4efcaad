// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What deduplication remembers of one shard at its published head, in the form a snapshot has it. In memory are the rows of at most
 * one block and the names of the others. Not thread-safe.
 */
final class ShardWindow {
    private final int shard;
    private final NoteVerifier key;
    private final List<byte[]> controls = new ArrayList<>();
    private final List<WindowName> full = new ArrayList<>();
    private WindowBlock.Builder tail;
    /** Before genesis nothing is forgotten. */
    private long windowLeaves = Long.MAX_VALUE;

    private long size;
    /** The first leaf that is remembered. */
    private long first;

    /** A block as the object store is to have it. */
    record Block(WindowName name, byte[] object) {}

    ShardWindow(int shard, NoteVerifier key) {
        this.shard = shard;
        this.key = key;
        this.tail = new WindowBlock.Builder(shard, 0);
    }

    /** As it was when a snapshot was taken. */
    static ShardWindow resumed(int shard, NoteVerifier key, StoredSnapshots.Shard stored)
            throws IOException, InvalidFormat {
        ShardSnapshot state = stored.state();
        ShardWindow window = new ShardWindow(shard, key);
        window.size = state.head().size().value();
        for (byte[] entry : state.controls()) {
            window.addControl(entry);
        }
        window.first = state.windowFirst();
        window.tail = new WindowBlock.Builder(shard, window.size / WindowBlock.LEAVES_MAX * WindowBlock.LEAVES_MAX);
        for (WindowName name : state.window()) {
            if (name.isFull()) {
                window.full.add(name);
            } else {
                WindowBlock block = stored.blocks().read(name);
                for (long index = name.first(); index < name.end(); index++) {
                    window.tail.add(block.row(index));
                }
            }
        }
        return window;
    }

    /** @return the block that is full with this leaf, which no longer is in memory then */
    Optional<Block> add(Leaf leaf) {
        tail.add(new WindowBlock.Row(leaf.kind(), leaf.offset(), leaf.identityDigest(), leaf.contentTag()));
        size++;
        if (leaf.kind().isControl()) {
            try {
                addControl(leaf.entry());
            } catch (InvalidFormat e) {
                throw new IllegalStateException("it was decided to be a control record: " + e.getMessage(), e);
            }
        }
        forget();
        if (tail.count() < WindowBlock.LEAVES_MAX) {
            return Optional.empty();
        }
        Block block = tail();
        full.add(block.name());
        tail = new WindowBlock.Builder(shard, size);
        return Optional.of(block);
    }

    /** What fell out of a window stays out when a later one is larger. The record itself is added under the rules before it. */
    private void addControl(byte[] entry) throws InvalidFormat {
        forget();
        controls.add(entry);
        windowLeaves = window(ControlRecord.read(entry, key));
    }

    private void forget() {
        first = Math.max(first, size - windowLeaves);
        full.removeIf(block -> block.end() <= first);
    }

    private static long window(Control control) {
        if (control instanceof Control.Genesis genesis) {
            return genesis.rules().dedupWindowLeaves();
        }
        return ((Control.RulesChange) control).rules().dedupWindowLeaves();
    }

    long size() {
        return size;
    }

    long first() {
        return first;
    }

    List<byte[]> controls() {
        return List.copyOf(controls);
    }

    /** The block that is not full; empty if it has no leaf. */
    Optional<Block> openBlock() {
        return tail.count() == 0 ? Optional.empty() : Optional.of(tail());
    }

    private Block tail() {
        byte[] object = tail.build();
        return new Block(tail.name(object), object);
    }

    /** The full blocks that are needed. */
    List<WindowName> fullBlocks() {
        return List.copyOf(full);
    }
}
