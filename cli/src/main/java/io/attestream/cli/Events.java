// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.cloudevents.EventLimits;
import io.attestream.schemas.cloudevents.EventResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Events in files. */
final class Events {
    private static final CloudEventReader READER = new CloudEventReader(EventLimits.DEFAULT);

    private Events() {}

    /** The lines of an NDJSON file, without blank ones; a lone "-" is standard input. */
    static List<byte[]> lines(Path file) {
        byte[] all;
        try {
            all = file.toString().equals("-") ? System.in.readAllBytes() : Files.readAllBytes(file);
        } catch (IOException e) {
            throw new CliException(ExitCode.ERROR, "cannot read " + file + ": " + e.getMessage(), "Check the path.");
        }
        List<byte[]> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i <= all.length; i++) {
            if (i == all.length || all[i] == '\n') {
                byte[] line = trimmed(all, start, i);
                if (line.length > 0) {
                    lines.add(line);
                }
                start = i + 1;
            }
        }
        if (lines.isEmpty()) {
            throw new CliException(
                    ExitCode.ERROR, file + " has no event", "It must hold one CloudEvent in JSON a line.");
        }
        return lines;
    }

    private static byte[] trimmed(byte[] bytes, int from, int to) {
        int start = from;
        int end = to;
        while (start < end && bytes[start] <= ' ') {
            start++;
        }
        while (end > start && bytes[end - 1] <= ' ') {
            end--;
        }
        return Arrays.copyOfRange(bytes, start, end);
    }

    /** A structured event; fails with what is wrong with it. */
    static CloudEvent parse(byte[] json, String where) {
        EventResult result = READER.structured(json);
        if (result instanceof EventResult.Accepted accepted) {
            return accepted.event();
        }
        EventResult.Refused refused = (EventResult.Refused) result;
        throw new CliException(
                ExitCode.ERROR,
                where + " is no valid CloudEvent: " + refused.problem().detail(),
                "It must be the JSON event that was sent.");
    }
}
