// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of commands that read a ledger's topics themselves. */
final class LedgerTopics {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "<host:port,…>",
            description = "Kafka brokers. Default: those of --data-dir.")
    private @Nullable String bootstrapServers;

    @Mixin
    private CommandConfig commandConfig = new CommandConfig();

    @Option(
            names = "--prefix",
            defaultValue = Topics.DEFAULT_PREFIX,
            paramLabel = "<prefix>",
            description = "First part of every topic name (default: ${DEFAULT-VALUE}).")
    private String prefix = Topics.DEFAULT_PREFIX;

    Topics topics() {
        return new Topics(prefix);
    }

    /** What clients of the brokers connect with. */
    Map<String, Object> connection(Connection connection) {
        return commandConfig.connection(bootstrapServers(connection), LocalFiles.kafkaConfig(connection.cluster()));
    }

    private String bootstrapServers(Connection connection) {
        if (bootstrapServers != null && !bootstrapServers.isBlank()) {
            return bootstrapServers;
        }
        return connection
                .cluster()
                .map(ClusterFile::bootstrapServers)
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE, "no Kafka cluster was named", "Give --bootstrap-servers or --data-dir."));
    }

    /** What the genesis records say, signed by the key the connection names. */
    LedgerDefinition definition(Connection connection) {
        String servers = bootstrapServers(connection);
        GenesisReader.Result result;
        try {
            result = GenesisReader.read(connection(connection), topics(), connection.ledgerKey(), TIMEOUT);
        } catch (KafkaException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "Kafka at " + servers + " does not answer: " + e.getMessage(),
                    "Check --bootstrap-servers; attestream doctor looks at a local cluster.");
        }
        if (result instanceof GenesisReader.Result.Ready ready) {
            return ready.ledger();
        }
        if (result instanceof GenesisReader.Result.Refused refused) {
            throw new CliException(
                    ExitCode.VERIFICATION_FAILED,
                    "this is not the ledger of that key: " + refused.reason(),
                    "Check --ledger-key and --prefix.");
        }
        throw new CliException(
                ExitCode.NOT_FOUND_OR_PENDING, ((GenesisReader.Result.NotReady) result).reason(), "Check --prefix.");
    }
}
