// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.topics;

import io.attestream.schemas.Topics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/**
 * Who may do what with a ledger's topics, groups and transactional ids: each service what it needs and no more, each direct
 * producer to write into its tenant's inbox. Only gateway and admission may write {@code events}; a foreign writer there could
 * forge authors, and with a transaction that stays open stop every reader.
 */
public final class LedgerAcls {
    private static final String ANY_HOST = "*";
    private static final String EVERYBODY = "User:*";
    /** Whoever does not say who he is, on a listener that does not ask. */
    private static final String ANONYMOUS = "User:ANONYMOUS";

    private static final List<String> KAFKAS_OWN = List.of("__consumer_offsets", "__transaction_state");

    /** A part of the ledger that presents itself to the brokers. Several may share a principal. */
    public enum Role {
        GATEWAY,
        ADMISSION,
        SEQUENCER,
        PROOFS,
        CHECKPOINTER,
        /** Whoever runs {@code init}, {@code restore} and {@code fsck}. */
        OPERATOR
    }

    private final Topics topics;
    private final Set<AclBinding> bindings = new LinkedHashSet<>();

    /**
     * @param principals of each role, as brokers call them: {@code User:<name>}
     * @param producers principals that write into an inbox, by the tenant it belongs to
     * @throws IllegalArgumentException if a role has no principal, a principal is none or everybody, or a tenant can have no inbox
     */
    public LedgerAcls(
            Topics topics, Map<Role, String> principals, Map<String, ? extends Collection<String>> producers) {
        this.topics = topics;
        for (Role role : Role.values()) {
            String principal = principals.get(role);
            if (principal == null) {
                throw new IllegalArgumentException("role " + role + " has no principal");
            }
            requirePrincipal(principal);
            grant(role, principal);
        }
        new TreeMap<>(producers)
                .forEach((tenant, all) -> all.forEach(principal -> {
                    requirePrincipal(principal);
                    if (principals.containsValue(principal)) {
                        throw new IllegalArgumentException(
                                principal + " is a service: a producer with its name could write all it may");
                    }
                    topic(principal, topics.inbox(tenant), AclOperation.WRITE, AclOperation.DESCRIBE);
                }));
    }

    private static void requirePrincipal(String principal) {
        if (!principal.matches("User:[^*,;\\s][^,;\\s]{0,249}") || principal.equals(ANONYMOUS)) {
            throw new IllegalArgumentException("\"" + principal + "\" is no principal: User:<name>, of one user");
        }
    }

    private void grant(Role role, String principal) {
        // Each looks at start whether the topics are as the ledger needs them, and reads the genesis records.
        prefixed(principal, ResourceType.TOPIC, topics.prefix(), AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS);
        topic(principal, topics.events(), AclOperation.READ);
        switch (role) {
            case GATEWAY -> gateway(principal);
            case ADMISSION -> admission(principal);
            case SEQUENCER -> sequencer(principal);
            case PROOFS -> proofs(principal);
            case CHECKPOINTER -> checkpointer(principal);
            case OPERATOR -> operator(principal);
        }
    }

    private void gateway(String principal) {
        topic(principal, topics.events(), AclOperation.WRITE);
        // For the lag in seconds: of each of the ledger's groups, the record at its offset.
        prefixed(principal, ResourceType.TOPIC, topics.prefix(), AclOperation.READ);
        prefixed(principal, ResourceType.GROUP, topics.prefix(), AclOperation.DESCRIBE);
        KAFKAS_OWN.forEach(name -> topic(principal, name, AclOperation.DESCRIBE));
    }

    private void admission(String principal) {
        prefixed(principal, ResourceType.TOPIC, topics.inboxPrefix(), AclOperation.READ);
        topic(principal, topics.events(), AclOperation.WRITE);
        topic(principal, topics.inboxOutcomes(), AclOperation.WRITE);
        add(principal, ResourceType.GROUP, topics.admissionGroup(), PatternType.LITERAL, AclOperation.READ);
        // To see that the brokers keep others out of the inboxes.
        add(principal, ResourceType.CLUSTER, Resource.CLUSTER_NAME, PatternType.LITERAL, AclOperation.DESCRIBE);
    }

    private void sequencer(String principal) {
        topic(principal, topics.sealed(), AclOperation.WRITE);
        topic(principal, topics.outcomes(), AclOperation.WRITE);
        application(principal, topics.sequencerGroups());
    }

    private void proofs(String principal) {
        List.of(topics.sealed(), topics.outcomes(), topics.checkpoints())
                .forEach(topic -> topic(principal, topic, AclOperation.READ));
        application(principal, topics.proofsGroups());
    }

    /** An application of Kafka Streams: its group, changelogs and transactions all begin with its id. */
    private void application(String principal, String idPrefix) {
        prefixed(principal, ResourceType.GROUP, idPrefix, AclOperation.READ);
        prefixed(principal, ResourceType.TOPIC, idPrefix, AclOperation.CREATE, AclOperation.READ, AclOperation.WRITE);
        prefixed(principal, ResourceType.TRANSACTIONAL_ID, idPrefix, AclOperation.WRITE, AclOperation.DESCRIBE);
    }

    private void checkpointer(String principal) {
        List.of(topics.sealed(), topics.outcomes()).forEach(topic -> {
            // It deletes what is in packs and snapshots.
            topic(principal, topic, AclOperation.READ, AclOperation.DELETE);
        });
        topic(principal, topics.checkpoints(), AclOperation.READ, AclOperation.WRITE);
        add(principal, ResourceType.GROUP, topics.checkpointerGroup(), PatternType.LITERAL, AclOperation.READ);
        prefixed(principal, ResourceType.GROUP, topics.proofsGroups(), AclOperation.DESCRIBE);
        add(
                principal,
                ResourceType.TRANSACTIONAL_ID,
                topics.checkpointerTransactionalId(),
                PatternType.LITERAL,
                AclOperation.WRITE,
                AclOperation.DESCRIBE);
    }

    private void operator(String principal) {
        for (ResourceType type : List.of(ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID)) {
            prefixed(principal, type, topics.prefix(), AclOperation.ALL);
        }
    }

    private void topic(String principal, String name, AclOperation... operations) {
        add(principal, ResourceType.TOPIC, name, PatternType.LITERAL, operations);
    }

    private void prefixed(String principal, ResourceType type, String prefix, AclOperation... operations) {
        String dotted = prefix.endsWith(".") ? prefix : prefix + ".";
        add(principal, type, dotted, PatternType.PREFIXED, operations);
    }

    private void add(
            String principal, ResourceType type, String name, PatternType pattern, AclOperation... operations) {
        Arrays.stream(operations)
                .map(operation -> new AclBinding(
                        new ResourcePattern(type, name, pattern),
                        new AccessControlEntry(principal, ANY_HOST, operation, AclPermissionType.ALLOW)))
                .forEach(bindings::add);
    }

    /** All that are to be there, by principal. */
    public List<AclBinding> bindings() {
        return bindings.stream()
                .sorted(Comparator.comparing(
                                (AclBinding binding) -> binding.entry().principal())
                        .thenComparing(binding -> binding.pattern().resourceType())
                        .thenComparing(binding -> binding.pattern().name())
                        .thenComparing(binding -> binding.entry().operation()))
                .toList();
    }

    /** What of it a cluster does not have. */
    public List<AclBinding> missing(Collection<AclBinding> present) {
        return bindings().stream().filter(wanted -> !present.contains(wanted)).toList();
    }

    /**
     * What a cluster allows beside it with this ledger: every other permission that reaches one of its topics, groups or
     * transactional ids, or the topics in which Kafka keeps offsets and transactions; every one to change permissions, to act as a
     * broker, or to have tokens made for others; and of those who write into an inbox every one to open transactions, which
     * readers would wait for. Also what is denied to them: it would win over what they need.
     */
    public List<AclBinding> excess(Collection<AclBinding> present) {
        List<AclBinding> excess = new ArrayList<>();
        for (AclBinding binding : present) {
            boolean isAllowed = binding.entry().permissionType() == AclPermissionType.ALLOW;
            boolean isUnwanted = isAllowed ? !bindings.contains(binding) : concernsOwn(binding);
            if (isUnwanted && (reaches(binding) || isAllowed && isOwnTransaction(binding))) {
                excess.add(binding);
            }
        }
        return excess;
    }

    private boolean concernsOwn(AclBinding binding) {
        String principal = binding.entry().principal();
        return principal.equals(EVERYBODY)
                || bindings.stream()
                        .anyMatch(wanted -> wanted.entry().principal().equals(principal));
    }

    private boolean isOwnTransaction(AclBinding binding) {
        return binding.pattern().resourceType() == ResourceType.TRANSACTIONAL_ID && concernsOwn(binding);
    }

    private boolean reaches(AclBinding binding) {
        ResourcePattern pattern = binding.pattern();
        String own = topics.prefix() + ".";
        return switch (pattern.resourceType()) {
            case TOPIC, GROUP, TRANSACTIONAL_ID ->
                pattern.name().equals(ResourcePattern.WILDCARD_RESOURCE)
                        || pattern.name().startsWith(own)
                        || pattern.patternType() == PatternType.PREFIXED && own.startsWith(pattern.name())
                        || pattern.resourceType() == ResourceType.TOPIC && isKafkasOwn(pattern);
            case CLUSTER ->
                EnumSet.of(
                                AclOperation.ALL,
                                AclOperation.ALTER,
                                AclOperation.ALTER_CONFIGS,
                                AclOperation.CLUSTER_ACTION,
                                AclOperation.CREATE)
                        .contains(binding.entry().operation());
            // Tokens that are made for others, and tokens of others.
            case USER, DELEGATION_TOKEN -> true;
            default -> false;
        };
    }

    private static boolean isKafkasOwn(ResourcePattern pattern) {
        return KAFKAS_OWN.stream()
                .anyMatch(name -> pattern.patternType() == PatternType.PREFIXED
                        ? name.startsWith(pattern.name())
                        : name.equals(pattern.name()));
    }
}
