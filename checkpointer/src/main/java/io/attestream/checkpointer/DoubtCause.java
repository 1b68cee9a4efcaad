// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.CheckpointerConfigs.RefusedKeyException;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.SerializationException;

/** What brought a stop about: what is read, or who was to answer. */
final class DoubtCause {
    private static final int CAUSES_MAX = 20;
    /** So a consumer says that a batch or record is not as its checksum says; the exception has neither type nor cause of its own. */
    private static final String INVALID_RECORD = " is invalid, cause: ";

    private DoubtCause() {}

    /**
     * Whether it is what is read: the next start finds the same, and somebody has to be told. Else Kafka, the object store or a stop
     * brought it about; the next start may find nothing wrong, and is not to wait.
     */
    static boolean isOfWhatIsRead(Throwable stop) {
        Deque<Throwable> chain = chain(stop);
        if (chain.stream().anyMatch(DoubtCause::isDamage)) {
            return true;
        }
        return isDoubt(stop) && chain.stream().noneMatch(DoubtCause::isOfSurroundings);
    }

    private static Deque<Throwable> chain(Throwable stop) {
        Deque<Throwable> chain = new ArrayDeque<>();
        for (Throwable at = stop; at != null && chain.size() < CAUSES_MAX; at = at.getCause()) {
            chain.add(at);
        }
        return chain;
    }

    private static boolean isDoubt(Throwable stop) {
        return stop instanceof FatalDoubtException
                || stop instanceof InvalidFormat
                || stop instanceof RefusedKeyException;
    }

    private static boolean isDamage(Throwable cause) {
        return cause instanceof ObjectStore.TooShortException
                || cause instanceof InvalidOffsetException
                || cause instanceof CorruptRecordException
                || cause instanceof SerializationException
                || cause.getClass() == KafkaException.class
                        && String.valueOf(cause.getMessage()).contains(INVALID_RECORD);
    }

    private static boolean isOfSurroundings(Throwable cause) {
        return cause instanceof KafkaException
                || cause instanceof IOException
                || cause instanceof UncheckedIOException
                || cause instanceof InterruptedException
                || cause instanceof TimeoutException;
    }
}
