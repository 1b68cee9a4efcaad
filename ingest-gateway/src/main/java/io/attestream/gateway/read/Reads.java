// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import io.attestream.gateway.auth.Caller;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.http.ProblemException;
import io.attestream.gateway.ledger.LedgerSource;
import io.attestream.gateway.ledger.OpenLedger;
import io.attestream.gateway.operations.LatencyBounds;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tree.LeafIndex;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.runtime.Startup;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the read resources have in common: parameters, permission, and what answers failures get. */
@Startup // So that all its series are there from the start.
@ApplicationScoped
public class Reads {
    private static final Logger LOG = LoggerFactory.getLogger(Reads.class);

    private final LedgerSource ledgers;
    private final Map<Outcome, Timer> times = new EnumMap<>(Outcome.class);

    Reads(LedgerSource ledgers, MeterRegistry metrics) {
        this.ledgers = ledgers;
        for (Outcome outcome : Outcome.values()) {
            times.put(
                    outcome,
                    Timer.builder("attestream.reads")
                            .description("Until a proof, receipt, tile or event was read, by what came of it")
                            .tag("outcome", outcome.name().toLowerCase(Locale.ROOT))
                            .serviceLevelObjectives(LatencyBounds.SECONDS)
                            .register(metrics));
        }
    }

    /** What came of a read; what a client asked for wrongly counts against nobody. */
    private enum Outcome {
        /** Also: there is no such thing. */
        ANSWERED,
        CLIENT_ERROR,
        UNAVAILABLE,
        DOES_NOT_VERIFY,
        ARCHIVE_BROKEN,
        /** A bug. */
        FAILED
    }

    OpenLedger ledger() {
        return ledgers.current()
                .orElseThrow(
                        () -> new ProblemException(ProblemCode.NOT_READY, "The ledger is not open yet; try again"));
    }

    /** A call that talks to the proofs service or the archive. */
    interface Read<T> {
        T run()
                throws Unavailable, ProofsClient.SizeNotPublished, BundleAssembler.DoesNotVerify, Archive.Broken,
                        InvalidFormat;
    }

    /** Turns what can go wrong behind us into problems. */
    <T> T read(Read<T> read) {
        long begunNanos = System.nanoTime();
        Outcome outcome = Outcome.FAILED;
        try {
            T answer = read.run();
            outcome = Outcome.ANSWERED;
            return answer;
        } catch (Unavailable e) {
            outcome = Outcome.UNAVAILABLE;
            LOG.warn("not answered: {}", e.getMessage());
            throw new ProblemException(ProblemCode.UNAVAILABLE, "A part of the ledger does not answer; try again");
        } catch (ProofsClient.SizeNotPublished e) {
            outcome = Outcome.CLIENT_ERROR;
            throw new ProblemException(
                    ProblemCode.BAD_PARAMETER, "Proofs are given between sizes that were published", "size");
        } catch (BundleAssembler.DoesNotVerify e) {
            outcome = Outcome.DOES_NOT_VERIFY;
            LOG.error("ALARM: a proof does not verify and is not served: {}", e.getMessage());
            throw new ProblemException(ProblemCode.BUNDLE_DOES_NOT_VERIFY, "Tell the operator: the log has the cause");
        } catch (Archive.Broken | InvalidFormat e) {
            outcome = Outcome.ARCHIVE_BROKEN;
            LOG.error("ALARM: the archive is damaged: {}", e.getMessage());
            throw new ProblemException(ProblemCode.INTERNAL, "Tell the operator: the log has the cause");
        } catch (ProblemException e) {
            outcome = e.problem().status() < 500 ? Outcome.CLIENT_ERROR : Outcome.UNAVAILABLE;
            throw e;
        } finally {
            Objects.requireNonNull(times.get(outcome), "of every outcome")
                    .record(System.nanoTime() - begunNanos, TimeUnit.NANOSECONDS);
        }
    }

    static Caller caller(SecurityIdentity identity) {
        return identity.getAttribute(Caller.ATTRIBUTE);
    }

    /** Refuses what belongs to another tenant; control records belong to nobody. */
    static void requireMaySee(Caller caller, Optional<String> tenant) {
        if (tenant.isPresent() && !caller.maySee(tenant.get())) {
            throw new ProblemException(ProblemCode.FOREIGN_TENANT, "It belongs to another tenant than the token's");
        }
    }

    /** A shard in a path. */
    int shard(String text) {
        return shard(pathNumber(text));
    }

    /** A shard of this ledger; others are 404. */
    int shard(long shard) {
        if (shard >= ledger().shards()) {
            throw notFound("There is no such shard");
        }
        return (int) shard;
    }

    /** A number in a path: what is none names nothing. */
    static long pathNumber(String text) {
        try {
            long value = LeafIndex.parse(text).value();
            if (value >= 0) {
                return value;
            }
        } catch (InvalidFormat e) {
            // As if there were no such path.
        }
        throw notFound("There is nothing at this path");
    }

    /** A number in a query. */
    static long parameter(String name, @Nullable String text) {
        if (text == null) {
            throw new ProblemException(
                    Problem.of(ProblemCode.BAD_PARAMETER, "The parameter " + name + " is required", name));
        }
        try {
            long value = LeafIndex.parse(text).value();
            if (value >= 0) {
                return value;
            }
        } catch (InvalidFormat e) {
            // Said below.
        }
        throw new ProblemException(ProblemCode.BAD_PARAMETER, name + " must be a decimal below 2^63", name);
    }

    static ProblemException notFound(String detail) {
        return new ProblemException(ProblemCode.NOT_FOUND, detail);
    }
}
