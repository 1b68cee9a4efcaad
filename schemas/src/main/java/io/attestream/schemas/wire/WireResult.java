// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

/** What decoding came to. */
public sealed interface WireResult<T> {
    /** The whole value was this record. */
    record Decoded<T>(T value) implements WireResult<T> {}

    /** No version of this program could ever read it: the record can be decided on. */
    record Undecodable<T>(String reason) implements WireResult<T> {}

    /** The ledger or this program does not know this schema (yet): nothing may be decided about the record. */
    record UnknownSchema<T>(int schemaId) implements WireResult<T> {}
}
