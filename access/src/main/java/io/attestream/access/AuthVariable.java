// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

/** The variables the start gate reads, by these very names; the documentation is generated from here. */
public enum AuthVariable {
    AUTH_POLICY(
            "jwks_strict",
            "`dev`, `jwks_strict` or `jwks_rbac`. Anything else is `jwks_strict`. `dev` only with `ENV=dev`, or with"
                    + " `ALLOW_INSECURE_DEV=true` outside production."),
    ENV(
            "",
            "Profile; `prod` and `production` are production. Aliases: `APP_ENV`, `ENVIRONMENT`, `DEPLOY_ENV`. If they"
                    + " disagree, nothing that needs the profile `dev` starts."),
    APP_ENV("", "Alias of `ENV`."),
    ENVIRONMENT("", "Alias of `ENV`."),
    DEPLOY_ENV("", "Alias of `ENV`."),
    DEPLOYMENT("", "Second place to say `prod` or `production`."),
    ALLOW_INSECURE_DEV(
            "false",
            "`true` allows `AUTH_POLICY=dev` and a loopback `http` key set without `ENV=dev`, never in production."),
    JWKS_URL(
            "",
            "Key set. Required unless `dev`. `https`; `http` only on loopback, and only where `dev` would be allowed."),
    JWT_ISSUER("", "Exact value of `iss`. Required unless `dev`. Not one that a framework has built in."),
    JWT_AUDIENCE("", "Accepted values of `aud`, comma-separated; one must match. Required unless `dev`. No wildcard."),
    JWT_ALLOWED_ALGS(
            "RS256,ES256,EdDSA",
            "Signature algorithms, comma-separated, out of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512,"
                    + " EdDSA. With several for RSA, keys must name theirs (`alg`)."),
    JWT_ALLOWED_TYPES(
            "at+jwt",
            "Accepted header `typ`, comma-separated, compared without case and `application/`; required. `at+jwt,JWT` is"
                    + " for an issuer that does not type its access tokens (RFC 9068); its ID tokens are told apart by"
                    + " audience and claims only."),
    JWT_CLOCK_SKEW_SECONDS("60", "Tolerance for `exp`, `nbf`, `iat`: 0 to 300."),
    JWT_MAX_TOKEN_TTL_SECONDS("86400", "Longest `exp - iat`: 1 to 604800."),
    JWT_TENANT_CLAIM("tenant", "Claim with the tenant: 1 to 64 of `A-Z a-z 0-9 . _ -`."),
    JWKS_MAX_STALE_SECONDS("86400", "How long the last good key set is used when it cannot be renewed: 60 to 604800.");

    private final String defaultValue;
    private final String description;

    AuthVariable(String defaultValue, String description) {
        this.defaultValue = defaultValue;
        this.description = description;
    }

    /** What counts when it is not set; empty if there is none. */
    public String defaultValue() {
        return defaultValue;
    }

    /** For the documentation. */
    public String description() {
        return description;
    }
}
