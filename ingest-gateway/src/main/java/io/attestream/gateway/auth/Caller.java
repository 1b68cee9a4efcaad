// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;

/**
 * Who calls.
 *
 * @param tenant what the token says; empty for an auditor or admin of the whole ledger
 * @param actor pseudonymous id that goes into entries; never the subject itself, because entries cannot be erased
 * @param roles known roles only
 */
public record Caller(Optional<String> tenant, String actor, Set<String> roles) {
    /** Attribute of the security identity that holds the caller. */
    public static final String ATTRIBUTE = "attestream.caller";

    private static final int ACTOR_SIZE_BYTES = 16;

    public Caller {
        roles = Set.copyOf(roles);
    }

    /** Whether the caller may see what belongs to this tenant. */
    public boolean maySee(String ownerTenant) {
        return isLedgerWide() || tenant.filter(ownerTenant::equals).isPresent();
    }

    /** Auditors and admins read everything. */
    public boolean isLedgerWide() {
        return roles.contains(Roles.AUDITOR) || roles.contains(Roles.ADMIN);
    }

    /**
     * The first 16 bytes of SHA-256 over {@code attestream/actor/v1 LF iss LF sub}, in hexadecimal: stable, so that an
     * issuer can find its own user's events, and without a name in it.
     */
    static String actorOf(String issuer, String subject) {
        String text = "attestream/actor/v1\n" + issuer + "\n" + subject;
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(Arrays.copyOf(digest, ACTOR_SIZE_BYTES));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
