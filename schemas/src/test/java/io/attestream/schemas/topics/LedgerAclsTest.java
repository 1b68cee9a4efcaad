// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.attestream.schemas.Topics;
import io.attestream.schemas.topics.LedgerAcls.Role;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LedgerAclsTest {
    private static final Topics TOPICS = new Topics("ledger");

    private static Map<Role, String> principals() {
        return Arrays.stream(Role.values())
                .collect(Collectors.toMap(
                        role -> role, role -> "User:" + role.name().toLowerCase(java.util.Locale.ROOT), (a, b) -> a));
    }

    private static LedgerAcls acls() {
        return new LedgerAcls(
                TOPICS, principals(), Map.of("acme", List.of("User:shop"), "other", List.of("User:bank")));
    }

    /** Who may do that with a topic. */
    private static Set<String> allowed(AclOperation operation, String topic) {
        return acls().bindings().stream()
                .filter(binding -> binding.pattern().resourceType() == ResourceType.TOPIC)
                .filter(binding -> binding.entry().operation() == operation
                        || binding.entry().operation() == AclOperation.ALL)
                .filter(binding -> binding.pattern().patternType() == PatternType.PREFIXED
                        ? topic.startsWith(binding.pattern().name())
                        : topic.equals(binding.pattern().name()))
                .map(binding -> binding.entry().principal())
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @CsvSource({
        "ledger.events, User:gateway User:admission User:operator",
        "ledger.sealed, User:sequencer User:operator",
        "ledger.outcomes, User:sequencer User:operator",
        "ledger.checkpoints, User:checkpointer User:operator",
        "ledger.inbox-outcomes, User:admission User:operator",
        "ledger.inbox.acme, User:shop User:operator",
        "ledger.inbox.other, User:bank User:operator",
        "ledger.inbox.third, User:operator",
        "ledger.sequencer.g1-edge-changelog, User:sequencer User:operator",
        "ledger.proofs.g1-tiles-changelog, User:proofs User:operator",
        "another.events, ''"
    })
    void eachTopicIsWrittenByWhoHasTo(String topic, String writers) {
        assertThat(allowed(AclOperation.WRITE, topic))
                .isEqualTo(writers.isEmpty() ? Set.of() : Set.of(writers.split(" ", -1)));
    }

    @Test
    void aProducerMayWriteIntoItsInboxAndNothingElse() {
        assertThat(acls().bindings())
                .filteredOn(binding -> binding.entry().principal().equals("User:shop"))
                .containsExactlyInAnyOrder(
                        binding("User:shop", AclOperation.WRITE, ResourceType.TOPIC, "ledger.inbox.acme"),
                        binding("User:shop", AclOperation.DESCRIBE, ResourceType.TOPIC, "ledger.inbox.acme"));
    }

    @Test
    void whatIsThereIsNeitherMissingNorTooMuch() {
        assertThat(acls().missing(acls().bindings())).isEmpty();
        assertThat(acls().excess(acls().bindings())).isEmpty();
        assertThat(acls().missing(List.of())).isEqualTo(acls().bindings());
    }

    @ParameterizedTest
    @CsvSource({
        "WRITE, TOPIC, ledger.events, LITERAL",
        "READ, TOPIC, ledger.events, LITERAL",
        "WRITE, TOPIC, ledger.inbox.acme, LITERAL",
        "ALL, TOPIC, *, LITERAL",
        "WRITE, TOPIC, l, PREFIXED",
        "WRITE, TOPIC, ledger., PREFIXED",
        "READ, GROUP, ledger.admission, LITERAL",
        "READ, GROUP, *, LITERAL",
        "WRITE, TRANSACTIONAL_ID, ledger.checkpointer, LITERAL",
        "WRITE, TRANSACTIONAL_ID, *, LITERAL",
        "ALTER, CLUSTER, kafka-cluster, LITERAL",
        "ALTER_CONFIGS, CLUSTER, kafka-cluster, LITERAL",
        "CLUSTER_ACTION, CLUSTER, kafka-cluster, LITERAL",
        "WRITE, TOPIC, __consumer_offsets, LITERAL",
        "ALL, TOPIC, __, PREFIXED",
        "DELETE, TOPIC, __transaction_state, LITERAL",
        "CREATE_TOKENS, USER, User:gateway, LITERAL",
        "DESCRIBE, DELEGATION_TOKEN, *, LITERAL"
    })
    void whatReachesTheLedgerAndIsNotNeededIsTooMuch(
            AclOperation operation, ResourceType type, String name, PatternType pattern) {
        for (String principal : List.of("User:shop", "User:mallory", "User:*")) {
            AclBinding foreign = new AclBinding(
                    new ResourcePattern(type, name, pattern),
                    new AccessControlEntry(principal, "*", operation, AclPermissionType.ALLOW));
            List<AclBinding> present = new ArrayList<>(acls().bindings());
            boolean isNeeded = present.contains(foreign);
            present.add(foreign);

            assertThat(acls().excess(present)).isEqualTo(isNeeded ? List.of() : List.of(foreign));
        }
    }

    /** Of whoever writes into an inbox any transaction is one that admission would wait for. */
    @Test
    void noProducerMayOpenTransactionsWhateverTheyAreCalled() {
        AclBinding elsewhere = new AclBinding(
                new ResourcePattern(ResourceType.TRANSACTIONAL_ID, "shop-", PatternType.PREFIXED),
                new AccessControlEntry("User:shop", "*", AclOperation.WRITE, AclPermissionType.ALLOW));
        AclBinding stranger = binding("User:x", AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, "x");

        assertThat(acls().excess(List.of(elsewhere, stranger))).containsExactly(elsewhere);
    }

    @Test
    void whatIsDeniedToWhoNeedsItIsNamed() {
        AclBinding all = denied("User:*");
        AclBinding service = denied("User:gateway");
        AclBinding stranger = denied("User:mallory");

        assertThat(acls().excess(List.of(all, service, stranger))).containsExactly(all, service);
    }

    private static AclBinding denied(String principal) {
        return new AclBinding(
                new ResourcePattern(ResourceType.TOPIC, "ledger.events", PatternType.LITERAL),
                new AccessControlEntry(principal, "*", AclOperation.WRITE, AclPermissionType.DENY));
    }

    @Test
    void whatOthersDoWithTopicsOfTheirOwnIsNoConcern() {
        List<AclBinding> others = List.of(
                binding("User:mallory", AclOperation.ALL, ResourceType.TOPIC, "another.events"),
                binding("User:mallory", AclOperation.READ, ResourceType.GROUP, "ledgers"),
                binding("User:mallory", AclOperation.DESCRIBE, ResourceType.CLUSTER, "kafka-cluster"));

        assertThat(acls().excess(others)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gateway", "User:", "User:*", "User:ANONYMOUS", "Group:x", "User:a b", "User:a;User:b"})
    void nobodyAndEverybodyAreNoPrincipals(String principal) {
        Map<Role, String> principals = new HashMap<>(principals());
        principals.put(Role.GATEWAY, principal);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LedgerAcls(TOPICS, principals, Map.of()))
                .withMessageContaining(principal);
    }

    @Test
    void aProducerCannotHaveTheNameOfAService() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LedgerAcls(TOPICS, principals(), Map.of("acme", List.of("User:gateway"))))
                .withMessageContaining("User:gateway");
    }

    private static AclBinding binding(String principal, AclOperation operation, ResourceType type, String name) {
        return new AclBinding(
                new ResourcePattern(type, name, PatternType.LITERAL),
                new AccessControlEntry(principal, "*", operation, AclPermissionType.ALLOW));
    }
}
