// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** Keeps a monitor's state in one file, replaced as a whole: a crash leaves the old state or the new one. */
public final class MonitorStateFile {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int VERSION = 1;

    private final Path file;

    public MonitorStateFile(Path file) {
        this.file = file.toAbsolutePath();
    }

    /**
     * The state kept here, or empty if there is no file.
     *
     * @throws IOException if the file cannot be read or is not a monitor's state; it is never taken for a missing one
     */
    public Optional<MonitorState> read() throws IOException {
        try {
            return Optional.of(decode(JSON.readTree(Files.readAllBytes(file))));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (JsonProcessingException | InvalidFormat | IllegalArgumentException e) {
            throw new IOException(file + " is not a monitor's state: " + e.getMessage(), e);
        }
    }

    /** Returns when the state is durable. */
    public void write(MonitorState state) throws IOException {
        Path directory = Objects.requireNonNull(file.getParent(), "an absolute file has a directory");
        Path temporary = Files.createTempFile(directory, "monitor-state", ".tmp");
        try {
            Files.write(temporary, JSON.writeValueAsBytes(encode(state)));
            sync(temporary, StandardOpenOption.WRITE);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            sync(directory, StandardOpenOption.READ);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void sync(Path path, StandardOpenOption mode) throws IOException {
        try (FileChannel channel = FileChannel.open(path, mode)) {
            channel.force(true);
        }
    }

    private static ObjectNode encode(MonitorState state) {
        ObjectNode json = JSON.createObjectNode();
        json.put("v", VERSION);
        json.put("origin", state.origin());
        json.put("vkey", state.vkey());
        json.put("ledgerSize", state.ledgerSize().toString());
        ArrayNode hashes = json.putArray("ledgerHashes");
        state.ledgerHashes().forEach(hash -> hashes.add(hash.base64()));
        ArrayNode heads = json.putArray("heads");
        state.heads().forEach(head -> heads.add(head.encode()));
        ObjectNode roots = json.putObject("recentRoots");
        state.recentRoots().forEach((size, root) -> roots.put(Long.toUnsignedString(size), root.base64()));
        if (!state.keys().changes().isEmpty()) {
            ArrayNode changes = json.putArray("keyChanges");
            for (KeyHistory.Logged logged : state.keys().changes()) {
                changes.addObject().put("change", logged.change().encode()).put("epoch", logged.epoch());
            }
        }
        return json;
    }

    /** A state of before the first change has none. */
    private static KeyHistory keys(JsonNode json) throws InvalidFormat {
        KeyHistory keys = KeyHistory.of(NoteVerifier.parse(json.path("vkey").asText()));
        for (JsonNode logged : json.path("keyChanges")) {
            byte[] change = Base64.getDecoder().decode(logged.path("change").asText());
            keys = keys.with(KeyChange.parse(change), logged.path("epoch").asLong(-1));
        }
        return keys;
    }

    private static MonitorState decode(JsonNode json) throws InvalidFormat {
        if (json.path("v").asInt() != VERSION) {
            throw new IllegalArgumentException("v is " + json.path("v") + ", expected " + VERSION);
        }
        List<Hash> hashes = new ArrayList<>();
        for (JsonNode hash : json.path("ledgerHashes")) {
            hashes.add(Hash.ofBase64(hash.asText()));
        }
        List<ShardHead> heads = new ArrayList<>();
        for (JsonNode head : json.path("heads")) {
            heads.add(ShardHead.parse(Base64.getDecoder().decode(head.asText())));
        }
        TreeMap<Long, Hash> roots = new TreeMap<>();
        for (Map.Entry<String, JsonNode> root : json.path("recentRoots").properties()) {
            roots.put(
                    Long.parseUnsignedLong(root.getKey()),
                    Hash.ofBase64(root.getValue().asText()));
        }
        return new MonitorState(
                json.path("origin").asText(),
                keys(json),
                TreeSize.parse(json.path("ledgerSize").asText()),
                hashes,
                heads,
                roots);
    }
}
