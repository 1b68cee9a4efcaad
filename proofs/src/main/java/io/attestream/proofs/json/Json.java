// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.json;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonBoolean;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonNull;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Strict reader of RFC 8259 JSON: UTF-8 only, no duplicate members, no lone surrogates, integers only, a bounded depth.
 * What two readers could understand differently is refused.
 */
public final class Json {
    private static final int MAX_DEPTH = 16;

    /** Bounds memory: a value of two characters takes some fifty bytes. */
    private static final int MAX_VALUES = 1 << 18;

    private final String text;
    private int at;
    private int values;

    private Json(String text) {
        this.text = text;
    }

    public static JsonValue parse(byte[] json) throws InvalidFormat {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(json))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidFormat("json", "must be UTF-8");
        }
        Json reader = new Json(text);
        reader.skipSpace();
        JsonValue value = reader.value(0);
        reader.skipSpace();
        if (reader.at != text.length()) {
            throw reader.wrong("must end after the value");
        }
        return value;
    }

    /** As {@link #parse}, and the value must be an object. */
    public static JsonObject parseObject(byte[] json) throws InvalidFormat {
        if (parse(json) instanceof JsonObject object) {
            return object;
        }
        throw new InvalidFormat("json", "must be an object");
    }

    private JsonValue value(int depth) throws InvalidFormat {
        if (depth > MAX_DEPTH) {
            throw wrong("must not be nested deeper than " + MAX_DEPTH);
        }
        if (++values > MAX_VALUES) {
            throw wrong("must not have more than " + MAX_VALUES + " values");
        }
        switch (peek()) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return new JsonString(string());
            case 't':
                return literal("true", new JsonBoolean(true));
            case 'f':
                return literal("false", new JsonBoolean(false));
            case 'n':
                return literal("null", new JsonNull());
            default:
                return integer();
        }
    }

    private JsonObject object(int depth) throws InvalidFormat {
        Map<String, JsonValue> members = new LinkedHashMap<>();
        at++;
        skipSpace();
        if (peek() == '}') {
            at++;
            return new JsonObject(members);
        }
        while (true) {
            skipSpace();
            if (peek() != '"') {
                throw wrong("expected a member name");
            }
            String name = string();
            skipSpace();
            expect(':');
            skipSpace();
            if (members.put(name, value(depth + 1)) != null) {
                throw new InvalidFormat(name, "must not be there twice");
            }
            skipSpace();
            if (peek() == '}') {
                at++;
                return new JsonObject(members);
            }
            expect(',');
        }
    }

    private JsonArray array(int depth) throws InvalidFormat {
        List<JsonValue> elements = new ArrayList<>();
        at++;
        skipSpace();
        if (peek() == ']') {
            at++;
            return new JsonArray(elements);
        }
        while (true) {
            skipSpace();
            elements.add(value(depth + 1));
            skipSpace();
            if (peek() == ']') {
                at++;
                return new JsonArray(elements);
            }
            expect(',');
        }
    }

    private String string() throws InvalidFormat {
        StringBuilder string = new StringBuilder();
        at++;
        while (true) {
            char c = peek();
            at++;
            if (c == '"') {
                requirePaired(string);
                return string.toString();
            }
            if (c < 0x20) {
                throw wrong("must escape control characters");
            }
            string.append(c == '\\' ? escape() : c);
        }
    }

    private char escape() throws InvalidFormat {
        char c = peek();
        at++;
        switch (c) {
            case '"', '\\', '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return unicode();
            default:
                throw wrong("has an unknown escape");
        }
    }

    private char unicode() throws InvalidFormat {
        int code = 0;
        for (int i = 0; i < 4; i++) {
            char c = peek();
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw wrong("must have four hexadecimal digits after \\u");
            }
            code = code << 4 | digit;
            at++;
        }
        return (char) code;
    }

    private void requirePaired(StringBuilder string) throws InvalidFormat {
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < string.length()
                    && Character.isLowSurrogate(string.charAt(i + 1));
            if (pair) {
                i++;
            } else if (Character.isSurrogate(c)) {
                throw wrong("must not have a lone surrogate");
            }
        }
    }

    private JsonInteger integer() throws InvalidFormat {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        int digits = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        int length = at - digits;
        boolean zero = length == 1 && text.charAt(digits) == '0';
        if (length == 0) {
            throw wrong("expected a value");
        }
        boolean longer = at < text.length() && ".eE".indexOf(text.charAt(at)) >= 0;
        if (longer || length > 16 || (text.charAt(digits) == '0' && !zero) || (zero && digits > start)) {
            throw wrong("must be an integer in its shortest form, below 2^53");
        }
        long value = Long.parseLong(text.substring(start, at));
        if (Math.abs(value) > JsonInteger.MAX) {
            throw wrong("must be an integer below 2^53");
        }
        return new JsonInteger(value);
    }

    private <T extends JsonValue> T literal(String word, T value) throws InvalidFormat {
        if (!text.startsWith(word, at)) {
            throw wrong("expected a value");
        }
        at += word.length();
        return value;
    }

    private void expect(char c) throws InvalidFormat {
        if (peek() != c) {
            throw wrong("expected '" + c + "'");
        }
        at++;
    }

    private char peek() throws InvalidFormat {
        if (at >= text.length()) {
            throw wrong("ends too early");
        }
        return text.charAt(at);
    }

    private void skipSpace() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private InvalidFormat wrong(String reason) {
        return new InvalidFormat("json", reason + " (at character " + at + ")");
    }
}
