// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Golden files: the exact bytes of each format and version. They were made by a program that shares no code with this module,
 * and are never changed: a new version of a format gets new files.
 */
public final class Golden {
    private Golden() {}

    public static byte[] bytes(String name) {
        try (InputStream file = Golden.class.getResourceAsStream("/golden/" + name)) {
            if (file == null) {
                throw new AssertionError("there is no golden file " + name);
            }
            return file.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static String text(String name) {
        return new String(bytes(name), StandardCharsets.UTF_8);
    }

    public static List<String> lines(String name) {
        return text(name).lines().toList();
    }

    /** One object a line. */
    public static List<JsonObject> objects(String name) throws InvalidFormat {
        List<JsonObject> objects = new ArrayList<>();
        for (String line : lines(name)) {
            objects.add(Json.parseObject(line.getBytes(StandardCharsets.UTF_8)));
        }
        return objects;
    }
}
