// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * What a life of topic {@code events} begins with.
 *
 * @param shards in shard order
 * @param schemas of all shards
 */
public record Beginning(int incarnation, List<Shard> shards, List<SchemaText> schemas) {
    public Beginning {
        shards = List.copyOf(shards);
        schemas = List.copyOf(schemas);
    }

    /**
     * One shard.
     *
     * @param prior empty in the first incarnation only
     */
    public record Shard(Rules rules, Optional<Prior> prior) {}

    static Beginning first(int shards, Rules rules, List<SchemaText> schemas) {
        return new Beginning(1, Collections.nCopies(shards, new Shard(rules, Optional.empty())), schemas);
    }

    boolean isFirst() {
        return incarnation == 1;
    }

    /** What was begun is finished as it was begun, even if this run was given other rules or schema ids. */
    Beginning asBegun(Collection<Genesis> present) {
        return isFirst()
                ? present.stream()
                        .findFirst()
                        .map(begun -> first(shards.size(), begun.rules(), begun.schemas()))
                        .orElse(this)
                : this;
    }

    boolean isOf(Genesis genesis) {
        Shard shard = shards.get(genesis.shard());
        return genesis.incarnation() == incarnation
                && (isFirst()
                        || (genesis.rules().equals(shard.rules())
                                && genesis.prior().equals(shard.prior())
                                && genesis.schemas().equals(schemas)));
    }
}
