// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.Output.Tone;
import io.attestream.schemas.Topics;
import io.attestream.schemas.topics.LedgerAcls;
import io.attestream.schemas.topics.LedgerAcls.Role;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Who may do what with the topics of a ledger. */
@Command(
        name = "acls",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "<command>",
        header = "Show, set and check who may do what with a ledger's topics.",
        description = {
            "Each service is allowed what it needs and no more; a direct producer may write into its tenant's inbox and do"
                    + " nothing else. Only gateway and admission may write topic events.",
            ""
        },
        subcommands = {AclsCommand.Show.class, AclsCommand.Apply.class, AclsCommand.Check.class})
final class AclsCommand {
    private static final long TIMEOUT_SECONDS = 30;
    private static final String USER = "User:";

    private AclsCommand() {}

    /** Who is who. */
    static final class Principals {
        @Option(
                names = "--prefix",
                defaultValue = Topics.DEFAULT_PREFIX,
                paramLabel = "<prefix>",
                description = "First part of every topic name (default: ${DEFAULT-VALUE}).")
        private String prefix = Topics.DEFAULT_PREFIX;

        @Option(
                names = "--service",
                split = ",",
                paramLabel = "<role>=<user>",
                description =
                        "Whom the brokers know as gateway, admission, sequencer, proofs, checkpointer or operator;"
                                + " repeatable. Default: attestream-<role>.")
        private Map<String, String> services = new HashMap<>();

        @Option(
                names = "--producer",
                split = ",",
                paramLabel = "<user>=<tenant>",
                description = "Who may write into that tenant's inbox; repeatable.")
        private List<String> producers = new ArrayList<>();

        LedgerAcls acls() {
            Map<Role, String> principals = new EnumMap<>(Role.class);
            for (Role role : Role.values()) {
                String name = role.name().toLowerCase(Locale.ROOT);
                principals.put(role, USER + services.getOrDefault(name, "attestream-" + name));
            }
            for (String role : services.keySet()) {
                if (!isRole(role)) {
                    throw new CliException(
                            ExitCode.USAGE,
                            "--service names no role: " + role,
                            "Roles are gateway, admission, sequencer, proofs, checkpointer, operator.");
                }
            }
            Map<String, List<String>> tenants = new HashMap<>();
            producers.stream().filter(named -> !named.isBlank()).forEach(named -> {
                String[] parts = named.split("=", -1);
                if (parts.length != 2) {
                    throw new CliException(ExitCode.USAGE, "--producer is <user>=<tenant>, not \"" + named + "\"", "");
                }
                tenants.computeIfAbsent(parts[1], none -> new ArrayList<>()).add(USER + parts[0]);
            });
            try {
                return new LedgerAcls(new Topics(prefix), principals, tenants);
            } catch (IllegalArgumentException e) {
                throw new CliException(
                        ExitCode.USAGE, String.valueOf(e.getMessage()), "Check --service and --producer.");
            }
        }

        private static boolean isRole(String name) {
            return name.equals(name.toLowerCase(Locale.ROOT))
                    && List.of(Role.values()).stream()
                            .anyMatch(role -> role.name().equalsIgnoreCase(name));
        }
    }

    /** Where it is asked or set. */
    static final class Brokers {
        @Option(
                names = "--bootstrap-servers",
                required = true,
                paramLabel = "<host:port,…>",
                description = "Kafka brokers.")
        private String bootstrapServers = "";

        @Mixin
        private CommandConfig commandConfig = new CommandConfig();

        Admin admin() {
            return Admin.create(commandConfig.connection(bootstrapServers));
        }
    }

    /** All permissions there are. */
    static Collection<AclBinding> present(Admin admin) {
        return get(() -> admin.describeAcls(AclBindingFilter.ANY).values().get(TIMEOUT_SECONDS, TimeUnit.SECONDS));
    }

    private interface Asked<T> {
        T get() throws ExecutionException, TimeoutException, InterruptedException;
    }

    private static <T> T get(Asked<T> asked) {
        try {
            return asked.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SecurityDisabledException) {
                throw new CliException(
                        ExitCode.VERIFICATION_FAILED,
                        "the brokers have no authorizer: everybody may do everything",
                        "Set authorizer.class.name and super.users on every broker.");
            }
            throw new CliException(ExitCode.UNAVAILABLE, "the brokers refuse: " + e.getMessage(), "");
        } catch (TimeoutException | KafkaException e) {
            throw new CliException(ExitCode.UNAVAILABLE, "the brokers do not answer: " + e.getMessage(), "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        }
    }

    /** Adds what is missing; empty if nothing was. Nothing is ever taken away. */
    static List<AclBinding> apply(Admin admin, LedgerAcls acls) {
        List<AclBinding> missing = acls.missing(present(admin));
        get(() -> admin.createAcls(missing).all().get(TIMEOUT_SECONDS, TimeUnit.SECONDS));
        return missing;
    }

    private static List<List<String>> rows(List<AclBinding> bindings, @Nullable String finding) {
        return bindings.stream().map(binding -> row(binding, finding)).toList();
    }

    private static List<String> row(AclBinding binding, @Nullable String finding) {
        List<String> row = new ArrayList<>();
        if (finding != null) {
            row.add(finding);
        }
        row.add(binding.entry().principal());
        row.add((binding.entry().permissionType() == AclPermissionType.DENY ? "NOT " : "")
                + binding.entry().operation().name());
        row.add(binding.pattern().resourceType().name().toLowerCase(Locale.ROOT));
        row.add(binding.pattern().name());
        row.add(binding.pattern().patternType().name().toLowerCase(Locale.ROOT));
        return row;
    }

    private static List<Map<String, Object>> members(List<AclBinding> bindings) {
        return bindings.stream()
                .map(binding -> Output.object(
                        "principal", binding.entry().principal(),
                        "host", binding.entry().host(),
                        "permission", binding.entry().permissionType().name(),
                        "operation", binding.entry().operation().name(),
                        "resourceType", binding.pattern().resourceType().name(),
                        "name", binding.pattern().name(),
                        "patternType", binding.pattern().patternType().name()))
                .toList();
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            header = "Print what each principal is to be allowed. Asks no broker.",
            footer = {"", "Example:", "  attestream acls show --producer shop=acme"})
    static final class Show implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Principals principals = new Principals();

        @Override
        public Integer call() {
            Output output = form.output();
            List<AclBinding> bindings = principals.acls().bindings();
            output.json(Output.object("acls", members(bindings)));
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("principal", "may", "of", "named", "pattern"));
            rows.addAll(rows(bindings, null));
            Output.table(rows).forEach(output::print);
            return ExitCode.OK;
        }
    }

    @Command(
            name = "apply",
            mixinStandardHelpOptions = true,
            header = "Allow each principal what it needs.",
            description = {
                "Adds what is missing and takes nothing away: what is too much, acls check names. Needs a principal that may"
                        + " change ACLs.",
                ""
            },
            footer = {
                "",
                "Example:",
                "  attestream acls apply --bootstrap-servers kafka:9092 \\",
                "      --command-config admin.properties --producer shop=acme"
            })
    static final class Apply implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Brokers brokers = new Brokers();

        @Mixin
        private Principals principals = new Principals();

        @Override
        public Integer call() {
            Output output = form.output();
            LedgerAcls acls = principals.acls();
            try (Admin admin = brokers.admin()) {
                List<AclBinding> added = apply(admin, acls);
                output.json(Output.object("added", members(added)));
                output.print(
                        added.isEmpty()
                                ? "All were there; nothing was changed."
                                : added.size() + " added. Look for what is too much: attestream acls check");
            }
            return ExitCode.OK;
        }
    }

    @Command(
            name = "check",
            mixinStandardHelpOptions = true,
            header = "Compare what the brokers allow with what each principal needs.",
            description = {
                "Exit code 3 if a permission is missing, or denied to who needs it, or if anybody has one that reaches the ledger"
                        + " and is not needed, or a producer may open transactions. Super"
                        + " users are named in the brokers' own settings, where this does not look.",
                ""
            },
            footer = {
                "",
                "Example:",
                "  attestream acls check --bootstrap-servers kafka:9092 \\",
                "      --command-config admin.properties --producer shop=acme"
            })
    static final class Check implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Brokers brokers = new Brokers();

        @Mixin
        private Principals principals = new Principals();

        @Override
        public Integer call() {
            Output output = form.output();
            LedgerAcls acls = principals.acls();
            Collection<AclBinding> present;
            try (Admin admin = brokers.admin()) {
                present = present(admin);
            }
            List<AclBinding> missing = acls.missing(present);
            List<AclBinding> excess = acls.excess(present);
            boolean good = missing.isEmpty() && excess.isEmpty();
            output.json(Output.object(
                    "status", good ? "good" : "different", "missing", members(missing), "excess", members(excess)));
            if (good) {
                output.print(output.paint(Tone.GOOD, "good") + "  "
                        + acls.bindings().size() + " permissions, none missing, none too much");
                return ExitCode.OK;
            }
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("", "principal", "may", "of", "named", "pattern"));
            rows.addAll(rows(missing, "missing"));
            rows.addAll(rows(excess, "TOO MUCH"));
            Output.table(rows).forEach(output::print);
            return ExitCode.VERIFICATION_FAILED;
        }
    }
}
