// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects;

import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where an object store is, as people write it: the path of a directory, or
 * {@code s3://<bucket>[/<prefix>][?region=<region>][&endpoint=<http(s) URL>]}. Credentials never stand in it: they come from the
 * SDK's default chain (environment, profile, instance).
 */
public sealed interface ObjectLocation {
    /** A directory of a file system with hard links. */
    record Directory(Path path) implements ObjectLocation {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /**
     * Objects of a bucket whose keys begin with the prefix.
     *
     * @param prefix empty, or ends in {@code /}
     * @param region default: that of the SDK's default chain
     * @param endpoint of a server that is not Amazon's; addressed with the bucket in the path
     */
    record S3(String bucket, String prefix, Optional<String> region, Optional<URI> endpoint) implements ObjectLocation {
        @Override
        public String toString() {
            return "s3://" + bucket + "/" + prefix;
        }
    }

    String SCHEME = "s3://";

    /** @throws IllegalArgumentException naming what is wrong */
    static ObjectLocation parse(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("the location of the object store is empty");
        }
        if (!text.startsWith(SCHEME)) {
            if (text.contains("://")) {
                throw new IllegalArgumentException(
                        "object store " + text + ": known are the path of a directory, and s3://<bucket>/<prefix>");
            }
            return new Directory(Path.of(text));
        }
        return S3Text.parse(text);
    }

    /** Reads the form of S3. */
    final class S3Text {
        /** As Amazon allows them, without those with dots, which no certificate fits. */
        private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9-]{1,61}[a-z0-9]");

        private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*/?");
        private static final int PREFIX_MAX_LENGTH = 512;
        private static final Set<String> PARAMETERS = Set.of("region", "endpoint");

        private S3Text() {}

        private static S3 parse(String text) {
            int query = text.indexOf('?');
            String path = text.substring(SCHEME.length(), query < 0 ? text.length() : query);
            int slash = path.indexOf('/');
            String bucket = slash < 0 ? path : path.substring(0, slash);
            String prefix = slash < 0 ? "" : path.substring(slash + 1);
            if (!BUCKET.matcher(bucket).matches()) {
                throw wrong(text, "\"" + bucket + "\" is no bucket name of a-z, 0-9 and -, 3 to 63 long");
            }
            if (!prefix.isEmpty()
                    && (prefix.length() > PREFIX_MAX_LENGTH
                            || !PREFIX.matcher(prefix).matches())) {
                throw wrong(text, "\"" + prefix + "\" is no prefix of [A-Za-z0-9._-] segments");
            }
            Map<String, String> parameters = parameters(text, query < 0 ? "" : text.substring(query + 1));
            return new S3(
                    bucket,
                    prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/",
                    Optional.ofNullable(parameters.get("region")),
                    Optional.ofNullable(parameters.get("endpoint")).map(url -> endpoint(text, url)));
        }

        private static Map<String, String> parameters(String text, String query) {
            Map<String, String> parameters = new HashMap<>();
            for (String parameter : query.isEmpty() ? new String[0] : query.split("&", -1)) {
                int equals = parameter.indexOf('=');
                String name = equals < 0 ? parameter : parameter.substring(0, equals);
                if (!PARAMETERS.contains(name) || equals < 0 || equals == parameter.length() - 1) {
                    throw wrong(text, "behind ? may stand region=… and endpoint=…, once each, with values");
                }
                if (parameters.put(name, parameter.substring(equals + 1)) != null) {
                    throw wrong(text, name + " stands twice");
                }
            }
            return parameters;
        }

        private static URI endpoint(String text, String url) {
            try {
                URI endpoint = URI.create(url);
                boolean http = "http".equals(endpoint.getScheme()) || "https".equals(endpoint.getScheme());
                if (http && endpoint.getHost() != null && endpoint.getUserInfo() == null) {
                    return endpoint;
                }
            } catch (IllegalArgumentException e) {
                // said below
            }
            throw wrong(text, "the endpoint is no http or https URL without user name");
        }

        private static IllegalArgumentException wrong(String text, String what) {
            int query = text.indexOf('?'); // somebody may have put a secret there
            return new IllegalArgumentException(
                    "object store " + (query < 0 ? text : text.substring(0, query + 1) + "…") + ": " + what);
        }
    }
}
