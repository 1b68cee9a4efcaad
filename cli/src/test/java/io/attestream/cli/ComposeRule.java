// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.Compose.Service;
import java.util.List;

/** What every service of a compose file keeps to, so that who breaks into one has little to work with. */
enum ComposeRule {
    LIMITS {
        @Override
        boolean holds(Compose compose, Service service) {
            JsonNode node = service.node();
            return node.path("mem_limit").asText().matches("[1-9]\\d*[mg]")
                    && node.path("cpus").asDouble() > 0
                    && node.path("pids_limit").asInt() > 0;
        }
    },
    READ_ONLY {
        @Override
        boolean holds(Compose compose, Service service) {
            return service.node().path("read_only").asBoolean();
        }
    },
    /** By number: a name may be root's in the image. */
    NOT_ROOT {
        @Override
        boolean holds(Compose compose, Service service) {
            return service.node().path("user").asText().matches("[1-9]\\d*:\\d+");
        }
    },
    NO_CAPABILITIES {
        @Override
        boolean holds(Compose compose, Service service) {
            return service.list("cap_drop").equals(List.of("ALL"))
                    && !service.node().has("cap_add")
                    && !service.node().has("privileged");
        }
    },
    NO_NEW_PRIVILEGES {
        @Override
        boolean holds(Compose compose, Service service) {
            return service.list("security_opt").equals(List.of("no-new-privileges:true"));
        }
    },
    EXACT_VERSION {
        @Override
        boolean holds(Compose compose, Service service) {
            return isExact(service.image());
        }
    },
    /** Or it is one that others wait for to end. */
    HEALTH_CHECK {
        @Override
        boolean holds(Compose compose, Service service) {
            JsonNode check = service.node().path("healthcheck");
            return compose.isAwaitedToEnd(service.name())
                    || service.healthCheck().size() > 1
                            && check.has("interval")
                            && check.has("timeout")
                            && check.has("retries")
                            && !check.has("disable");
        }
    },
    /** Ports of the host are on loopback; the network is none of the host. */
    OWN_NETWORK {
        @Override
        boolean holds(Compose compose, Service service) {
            return !service.node().has("network_mode")
                    && service.list("networks").contains("inside")
                    && service.list("ports").stream().allMatch(port -> port.startsWith("127.0.0.1:"));
        }
    },
    /** What native libraries are unpacked to must let them be run: a tmpfs does not, unless told. */
    NATIVE_LIBRARIES {
        @Override
        boolean holds(Compose compose, Service service) {
            boolean java = service.image().matches("(apache/kafka|apicurio/.*|attestream/(?!objects).*):.*");
            return !java || service.list("tmpfs").stream().anyMatch(mount -> mount.matches("/tmp:(.*,)?exec(,.*)?"));
        }
    };

    abstract boolean holds(Compose compose, Service service);

    /** Whether a name says one version, and no later one can come under it. */
    static boolean isExact(String image) {
        return image.matches(".+:(v?\\d+\\.\\d+\\.\\d+([._-].+)?|RELEASE\\.\\d{4}-.+)|.+@sha256:[0-9a-f]{64}");
    }
}
