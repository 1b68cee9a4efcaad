// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.admission;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Whether brokers keep one tenant's producers out of the inboxes of the others: whose an event is follows from that alone. */
public final class InboxAcls {
    private static final long TIMEOUT_SECONDS = 30;
    private static final Set<String> EVERYBODY = Set.of("User:*", "User:ANONYMOUS");
    private static final Set<AclOperation> WRITING = Set.of(AclOperation.WRITE, AclOperation.ALL);

    private InboxAcls() {}

    /**
     * Why admission must not start; empty if the brokers have an authorizer, with ACLs on each of these topics and none that lets
     * everybody write there.
     *
     * @param written the inboxes, and {@code events}
     * @throws KafkaException if they do not say, as to a principal that may not {@code DESCRIBE} the cluster
     */
    public static Optional<String> problem(Admin admin, Collection<String> written) {
        Collection<AclBinding> acls;
        try {
            acls = admin.describeAcls(AclBindingFilter.ANY).values().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SecurityDisabledException) {
                return Optional.of(
                        "the brokers have no authorizer, so that everybody may write into every tenant's inbox:"
                                + " set authorizer.class.name on every broker, then attestream acls apply; or leave admission"
                                + " out of attestream.roles");
            }
            throw new KafkaException("the brokers' ACLs could not be read", e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("the brokers' ACLs could not be read", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        }
        return written.stream().flatMap(topic -> problem(acls, topic).stream()).findFirst();
    }

    private static Optional<String> problem(Collection<AclBinding> acls, String topic) {
        List<AclBinding> reaching =
                acls.stream().filter(acl -> reaches(acl.pattern(), topic)).toList();
        if (reaching.isEmpty()) {
            return Optional.of("no ACL is about topic " + topic + ", which brokers may take for leave to everybody:"
                    + " attestream acls apply");
        }
        return reaching.stream()
                .map(AclBinding::entry)
                .filter(entry -> entry.permissionType() == AclPermissionType.ALLOW
                        && EVERYBODY.contains(entry.principal())
                        && WRITING.contains(entry.operation()))
                .findFirst()
                .map(entry -> entry.principal() + " may " + entry.operation() + " topic " + topic
                        + ": take that ACL away; attestream acls check names all that is too much");
    }

    private static boolean reaches(ResourcePattern pattern, String topic) {
        return pattern.resourceType() == ResourceType.TOPIC
                && (pattern.patternType() == PatternType.PREFIXED
                        ? topic.startsWith(pattern.name())
                        : pattern.name().equals(topic) || pattern.name().equals(ResourcePattern.WILDCARD_RESOURCE));
    }
}
