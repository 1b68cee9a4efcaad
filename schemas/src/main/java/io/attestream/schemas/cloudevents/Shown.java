// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

/** Names from the outside, made fit for answers and logs: short, no control characters, encodable as UTF-8. */
final class Shown {
    private static final int MAX_CHARACTERS = 40;

    private Shown() {}

    static String of(String name) {
        StringBuilder shown = new StringBuilder();
        name.codePoints()
                .limit(MAX_CHARACTERS)
                .map(c -> Character.isISOControl(c) || (c >= 0xd800 && c <= 0xdfff) ? '?' : c)
                .forEach(shown::appendCodePoint);
        return shown.toString();
    }
}
