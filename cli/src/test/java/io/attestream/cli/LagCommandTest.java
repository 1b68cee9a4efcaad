// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagLook;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LagCommandTest {
    private static final Pattern ALL = Pattern.compile(".*");
    private static final LagLook LOOK = new LagLook(List.of(new GroupLag("app", "Stable", 1, List.of())), 0);

    /** It is during an outage that somebody watches. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoWatchesIsToldOfAnOutageAndOfItsEnd(boolean json) {
        // given
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        Output output = new Output(out, out, json, Output.Terminals.NONE);
        LagCommand command = new LagCommand();

        // when
        command.watch(output, () -> LOOK, ALL);
        command.watch(
                output,
                () -> {
                    throw new TimeoutException("no node is there");
                },
                ALL);
        command.watch(output, () -> LOOK, ALL);

        // then
        assertThat(bytes.toString(StandardCharsets.UTF_8))
                .containsPattern("(?s)app.*Kafka does not answer: no node is there.*app");
    }
}
