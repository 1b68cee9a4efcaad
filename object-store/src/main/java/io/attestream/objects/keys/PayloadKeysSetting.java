// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.keys;

import io.attestream.objects.ObjectLocation;
import io.attestream.objects.ObjectStores;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** The settings {@code attestream.payload-keys.*}, the same for every door: what is wrong with them, and what they open. */
public final class PayloadKeysSetting {
    private static final String LOCATION = "attestream.payload-keys.location";
    private static final String KEY_FILE = "attestream.payload-keys.key-file";
    private static final int REMEMBERED_MAX = 1_000_000;
    private static final int FILE_SIZE_BYTES_MAX = 4_096;

    private PayloadKeysSetting() {}

    /**
     * What is wrong, one line a setting; empty if nothing is.
     *
     * @param objects location of the object store, if it is known
     */
    public static List<String> problems(
            Optional<String> location, Optional<Path> keyFile, int rememberedMax, Optional<String> objects) {
        List<String> problems = new ArrayList<>();
        if (location.isPresent() != keyFile.isPresent()) {
            problems.add("set both " + LOCATION + " and " + KEY_FILE
                    + ", or neither: without them payloads are stored in" + " the clear");
        }
        location.ifPresent(where -> problems.addAll(problems(where, objects)));
        if (keyFile.isPresent()) {
            try {
                read(keyFile.get());
            } catch (IOException | IllegalArgumentException e) {
                problems.add(KEY_FILE + " " + keyFile.get()
                        + " must be a file that only its owner can read (chmod 600), with 32 bytes in base64");
            }
        }
        if (rememberedMax < 1 || rememberedMax > REMEMBERED_MAX) {
            problems.add("attestream.payload-keys.remembered-max must be from 1 to " + REMEMBERED_MAX + ", is "
                    + rememberedMax);
        }
        return problems;
    }

    /** What is wrong with the location: a copy of the object store must not bring keys back. */
    public static List<String> problems(String location, Optional<String> objects) {
        Optional<String> problem = ObjectStores.problem(location);
        if (problem.isPresent()) {
            return List.of(LOCATION + ": " + problem.get());
        }
        return objects.filter(other -> ObjectStores.problem(other).isEmpty() && overlap(location, other))
                        .isPresent()
                ? List.of(
                        LOCATION + " must not be in attestream.objects.location, nor around it: who copies or restores"
                                + " the object store would bring destroyed keys back")
                : List.of();
    }

    private static boolean overlap(String one, String other) {
        ObjectLocation first = ObjectLocation.parse(one);
        ObjectLocation second = ObjectLocation.parse(other);
        if (first instanceof ObjectLocation.Directory a && second instanceof ObjectLocation.Directory b) {
            return a.path()
                            .toAbsolutePath()
                            .normalize()
                            .startsWith(b.path().toAbsolutePath().normalize())
                    || b.path()
                            .toAbsolutePath()
                            .normalize()
                            .startsWith(a.path().toAbsolutePath().normalize());
        }
        return first instanceof ObjectLocation.S3 a
                && second instanceof ObjectLocation.S3 b
                && a.bucket().equals(b.bucket())
                && a.endpoint().equals(b.endpoint())
                && (a.prefix().startsWith(b.prefix()) || b.prefix().startsWith(a.prefix()));
    }

    /**
     * Makes a location of keys, once.
     *
     * @throws IOException if it cannot be used, has keys without what was made with them, or those of another key
     * @throws IllegalArgumentException if one of the two is not what it must be
     */
    public static void create(String location, Path keyFile) throws IOException {
        SubjectKeyStore.create(ObjectStores.openForWriting(location), read(keyFile));
    }

    /**
     * Opens the keys; empty if there are none.
     *
     * @throws IOException if they cannot be had, were not made, are under another key, or are in a store that would let a key be
     *     overwritten
     */
    public static Optional<SubjectKeyStore> open(Optional<String> location, Optional<Path> keyFile, int rememberedMax)
            throws IOException {
        return location.isEmpty() || keyFile.isEmpty()
                ? Optional.empty()
                : Optional.of(SubjectKeyStore.open(
                        ObjectStores.openForServingAndWriting(location.get()), read(keyFile.get()), rememberedMax));
    }

    private static byte[] read(Path file) throws IOException {
        PosixFileAttributeView posix = Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (posix != null
                && posix.readAttributes().permissions().stream()
                        .anyMatch(permission -> !permission.name().startsWith("OWNER_"))) {
            throw new IllegalArgumentException("the key file is open to others than its owner: chmod 600 it");
        }
        if (Files.size(file) > FILE_SIZE_BYTES_MAX) {
            throw new IllegalArgumentException("the key file is too large");
        }
        byte[] key = Base64.getDecoder()
                .decode(Files.readString(file, StandardCharsets.US_ASCII).strip());
        if (key.length != SubjectKeyStore.KEY_ENCRYPTION_KEY_SIZE_BYTES) {
            throw new IllegalArgumentException("the key file has not 32 bytes");
        }
        return key;
    }
}
