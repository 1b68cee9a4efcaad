// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.kafka.common.Uuid;

/**
 * Which life a shard's state belongs to. It is part of the edge record, so that state can be told from other state that came
 * to lie under the same names.
 *
 * @param generation of the processors' state
 * @param incarnation of the events topic
 * @param eventsTopicId id the cluster gave the events topic
 * @param changelogs see {@link Fence#changelogs}
 */
record StateLife(int generation, int incarnation, Uuid eventsTopicId, byte[] changelogs) {
    static final int SIZE_BYTES = 56;
    static final int CHANGELOGS_SIZE_BYTES = 32;

    StateLife {
        if (changelogs.length != CHANGELOGS_SIZE_BYTES) {
            throw new IllegalArgumentException("the identity of the changelogs has 32 bytes, not " + changelogs.length);
        }
    }

    void write(ByteBuffer to) {
        to.putInt(generation).putInt(incarnation);
        to.putLong(eventsTopicId.getMostSignificantBits()).putLong(eventsTopicId.getLeastSignificantBits());
        to.put(changelogs);
    }

    static StateLife read(ByteBuffer from) {
        int generation = from.getInt();
        int incarnation = from.getInt();
        Uuid eventsTopicId = new Uuid(from.getLong(), from.getLong());
        byte[] changelogs = new byte[CHANGELOGS_SIZE_BYTES];
        from.get(changelogs);
        return new StateLife(generation, incarnation, eventsTopicId, changelogs);
    }

    /** @throws IntegrityException if state of this life is found where another one runs */
    void requireSame(int shard, StateLife running) {
        if (generation != running.generation || incarnation != running.incarnation) {
            throw new IntegrityException("shard " + shard + " has state of generation " + generation + " incarnation "
                    + incarnation + ", this process runs generation " + running.generation + " incarnation "
                    + running.incarnation + ": it needs a state directory of its own");
        }
        if (!eventsTopicId.equals(running.eventsTopicId)) {
            throw new IntegrityException("shard " + shard + " has state of events topic id " + eventsTopicId
                    + ", the topic has id " + running.eventsTopicId
                    + ": the topic was recreated. What was sealed from the old one cannot be continued here");
        }
        if (!Arrays.equals(changelogs, running.changelogs)) {
            throw new IntegrityException("shard " + shard
                    + " has state that was written to other changelog topics than those there are: a changelog was"
                    + " deleted or replaced. Going on would mix two states; restore into a new generation");
        }
    }
}
