// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.schemas.connection.KafkaConnection;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who commands that talk to Kafka say they are, as Kafka's own tools are told. */
final class CommandConfig {
    @Option(
            names = "--command-config",
            paramLabel = "<file>",
            description =
                    "Settings of security of Kafka clients (security.protocol, sasl.*, ssl.*), readable by you only.")
    private @Nullable Path file;

    /**
     * What clients of these brokers connect with.
     *
     * @throws CliException if the file cannot be used
     */
    Map<String, Object> connection(String bootstrapServers) {
        return connection(bootstrapServers, Optional.empty());
    }

    /** @param unnamed the file to take if none is named */
    Map<String, Object> connection(String bootstrapServers, Optional<Path> unnamed) {
        try {
            return KafkaConnection.of(
                    bootstrapServers, Optional.ofNullable(file).or(() -> unnamed));
        } catch (KafkaConnection.Refused e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()), "Check --command-config.");
        }
    }
}
