// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

/**
 * Why an event is refused.
 *
 * @param code stable, for programs: {@code malformed}, {@code missing}, {@code empty}, {@code invalid}, {@code too-long},
 *     {@code too-many}, {@code duplicate}, {@code too-large}
 * @param field the attribute or part at fault
 * @param detail for people; names the limit if one was exceeded
 */
public record EventProblem(String code, String field, String detail) {}
