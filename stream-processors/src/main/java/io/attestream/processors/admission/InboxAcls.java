// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.admission;

import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.errors.SecurityDisabledException;

/** Whether brokers keep one tenant's producers out of the inboxes of the others: whose an event is follows from that alone. */
public final class InboxAcls {
    private static final long TIMEOUT_SECONDS = 30;

    private InboxAcls() {}

    /**
     * Why admission must not start; empty if the brokers have an authorizer.
     *
     * @throws KafkaException if they do not say, as to a principal that may not {@code DESCRIBE} the cluster
     */
    public static Optional<String> problem(Admin admin) {
        try {
            admin.describeAcls(AclBindingFilter.ANY).values().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            return Optional.empty();
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
    }
}
