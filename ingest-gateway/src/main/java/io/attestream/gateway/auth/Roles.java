// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import java.util.Set;

/** Roles of {@code jwks_rbac}. In {@code jwks_strict} every valid token has {@link #INGESTER} only. */
public final class Roles {
    /** Appends for its tenant and reads what its tenant appended. */
    public static final String INGESTER = "ingester";

    /** Reads the whole ledger, payloads and entry bundles included. */
    public static final String AUDITOR = "auditor";

    /** Operates; reads like an auditor. */
    public static final String ADMIN = "admin";

    static final Set<String> ALL = Set.of(INGESTER, AUDITOR, ADMIN);

    private Roles() {}
}
