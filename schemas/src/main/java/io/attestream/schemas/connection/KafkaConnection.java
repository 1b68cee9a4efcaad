// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.connection;

import java.io.IOException;
import java.io.StringReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;

/**
 * Settings every Kafka client of a process connects with: the brokers, and what a file in the format of Kafka's own tools
 * ({@code --command-config}) says of security. How a client reads and writes is never taken from a file.
 */
public final class KafkaConnection {
    /** Since Kafka 4.0 a client takes no token from where these properties of the JVM do not name. */
    private static final String ALLOWED_URLS = "org.apache.kafka.sasl.oauthbearer.allowed.urls";

    private static final String ALLOWED_FILES = "org.apache.kafka.sasl.oauthbearer.allowed.files";

    private static final long FILE_SIZE_BYTES_MAX = 64 << 10;
    private static final int CAUSES_MAX = 16;
    private static final String OAUTH = OAuthBearerLoginModule.OAUTHBEARER_MECHANISM;
    private static final String LOGIN_HANDLER = OAuthBearerLoginCallbackHandler.class.getName();
    private static final String OWN_LOGIN_MODULES = "org.apache.kafka.common.security.";
    /** Without them a client waits for ever for a token endpoint that takes a connection and says nothing. */
    private static final Map<String, String> TOKEN_TIMEOUTS =
            Map.of(SaslConfigs.SASL_LOGIN_CONNECT_TIMEOUT_MS, "5000", SaslConfigs.SASL_LOGIN_READ_TIMEOUT_MS, "10000");

    /** Beside the mechanism's own login handler no class of a file's choice decides what is verified. */
    private static final String CLASSES = ".*\\.class(es)?|security\\.providers|ssl\\.provider";

    private KafkaConnection() {}

    /** The file cannot be used; the message names file and setting, and never a value that may be secret. */
    public static final class Refused extends IOException {
        Refused(String message) {
            super(message);
        }
    }

    /** Of clients that present nothing. */
    public static Map<String, Object> of(String bootstrapServers) {
        return Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    }

    /**
     * With the settings of a file, if there is one. With {@code OAUTHBEARER}, login module and handler are Kafka's own for a token
     * endpoint (KIP-768), and that endpoint is one this process may ask.
     *
     * @param file readable by its owner only, at most 64 KiB; properties {@code security.protocol}, {@code sasl.*}, {@code ssl.*}
     * @throws Refused if the file cannot be read, is open to others, or holds what it must not
     */
    public static Map<String, Object> of(String bootstrapServers, Optional<Path> file) throws Refused {
        Map<String, Object> settings = new HashMap<>(of(bootstrapServers));
        if (file.isPresent()) {
            settings.putAll(read(file.get()));
        }
        return settings;
    }

    /** The settings of a file, sorted by name, without the brokers. */
    static Map<String, String> read(Path file) throws Refused {
        Map<String, String> settings = new TreeMap<>();
        Properties properties = load(file);
        for (String name : properties.stringPropertyNames()) {
            String value = properties.getProperty(name).strip();
            requireSetting(file, name, value);
            settings.put(name, value);
        }
        requireProtocol(file, settings);
        if (OAUTH.equals(settings.get(SaslConfigs.SASL_MECHANISM))) {
            completeOAuth(file, settings);
        }
        return settings;
    }

    private static Properties load(Path file) throws Refused {
        Properties properties = new Properties();
        try {
            requireOwnersOnly(file);
            if (Files.size(file) > FILE_SIZE_BYTES_MAX) {
                throw new Refused(file + " is larger than " + FILE_SIZE_BYTES_MAX + " bytes");
            }
            properties.load(new StringReader(Files.readString(file, StandardCharsets.UTF_8)));
        } catch (Refused e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            throw new Refused(
                    file + " cannot be read as properties: " + e.getClass().getSimpleName());
        }
        return properties;
    }

    /** It may hold a password or the secret of an OAuth client. */
    private static void requireOwnersOnly(Path file) throws IOException, Refused {
        PosixFileAttributeView posix = Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (posix == null) {
            return;
        }
        for (PosixFilePermission permission : posix.readAttributes().permissions()) {
            if (!permission.name().startsWith("OWNER_")) {
                throw new Refused(file + " is open to others than its owner: chmod 600 it");
            }
        }
    }

    private static void requireSetting(Path file, String name, String value) throws Refused {
        boolean isOfSecurity = name.equals(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG)
                || name.startsWith("sasl.")
                || name.startsWith("ssl.");
        if (!isOfSecurity || !AdminClientConfig.configNames().contains(name)) {
            throw new Refused(
                    file + ": " + name + " is not a setting of Kafka's security; only security.protocol, sasl.*"
                            + " and ssl.* are taken from a file");
        }
        if (name.matches(CLASSES) && !value.equals(LOGIN_HANDLER)) {
            throw new Refused(file + ": " + name + " is refused: no other class decides what is verified; remove it");
        }
        if (name.equals(SslConfigs.SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG) && !value.equals("https")) {
            throw new Refused(file + ": " + name + " is refused: the names in certificates are verified; remove it");
        }
        if (name.equals(SaslConfigs.SASL_JAAS_CONFIG)
                && (!value.startsWith(OWN_LOGIN_MODULES) || value.contains("unsecured"))) {
            throw new Refused(file + ": " + name + " must name a login module of Kafka's own (" + OWN_LOGIN_MODULES
                    + "…), and none makes tokens that nobody signed");
        }
    }

    private static void requireProtocol(Path file, Map<String, String> settings) throws Refused {
        String name = CommonClientConfigs.SECURITY_PROTOCOL_CONFIG;
        String protocol = settings.get(name);
        if (protocol == null || !SecurityProtocol.names().contains(protocol)) {
            throw new Refused(file + ": " + name + " must be one of "
                    + SecurityProtocol.names().stream().sorted().toList() + "; without it nothing else has an effect");
        }
        if (protocol.startsWith("SASL_") != settings.containsKey(SaslConfigs.SASL_MECHANISM)) {
            throw new Refused(file + ": " + SaslConfigs.SASL_MECHANISM + " goes with SASL_PLAINTEXT and SASL_SSL, "
                    + name + " is " + protocol);
        }
    }

    private static void completeOAuth(Path file, Map<String, String> settings) throws Refused {
        String name = SaslConfigs.SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL;
        String url = settings.getOrDefault(name, "");
        if (!isTrustworthy(url)) {
            throw new Refused(file + ": " + name + " must be an https URL, an http URL on loopback, or a file URL");
        }
        settings.putIfAbsent(SaslConfigs.SASL_LOGIN_CALLBACK_HANDLER_CLASS, LOGIN_HANDLER);
        TOKEN_TIMEOUTS.forEach(settings::putIfAbsent);
        settings.putIfAbsent(SaslConfigs.SASL_JAAS_CONFIG, OAuthBearerLoginModule.class.getName() + " required ;");
        allow(ALLOWED_URLS, url);
        if (url.startsWith("file:")) {
            allow(ALLOWED_FILES, Path.of(URI.create(url)).toString());
        }
    }

    private static boolean isTrustworthy(String url) {
        try {
            URI parsed = URI.create(url);
            String host = parsed.getHost();
            boolean isLoopback =
                    host != null && List.of("127.0.0.1", "localhost", "[::1]").contains(host);
            return "file".equals(parsed.getScheme())
                            && host == null
                            && parsed.getPath() != null
                            && parsed.getPath().startsWith("/")
                    || "https".equals(parsed.getScheme()) && host != null
                    || "http".equals(parsed.getScheme()) && isLoopback;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** What went wrong between a client and the brokers: what is said of it, and the first cause, which often says more. */
    public static String reason(Throwable problem) {
        Throwable cause = problem;
        for (int depth = 0; depth < CAUSES_MAX && cause.getCause() != null; depth++) {
            cause = cause.getCause();
        }
        return cause == problem
                ? String.valueOf(problem.getMessage())
                : problem.getMessage() + ": " + cause.getMessage();
    }

    private static synchronized void allow(String property, String source) {
        String before = System.getProperty(property, "");
        if (!List.of(before.split(",", -1)).contains(source)) {
            System.setProperty(property, before.isEmpty() ? source : before + "," + source);
        }
    }
}
