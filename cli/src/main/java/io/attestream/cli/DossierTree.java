// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What git says of the tree that is judged. */
interface DossierTree {
    /** The commit that is checked out, 40 hexadecimal digits. */
    String head();

    /**
     * Paths that git says are not as in that commit, files it does not know among them; empty if it says that the tree is clean. It
     * can be told to say so ({@code assume-unchanged}, filters): what is judged is held against the commit by {@link #isCommitted}.
     */
    List<String> changes();

    /** Whether that commit has a regular file under a path with these very bytes, whatever git is told to believe of the tree. */
    boolean isCommitted(String path, byte[] bytes);

    /**
     * Whether it is that commit or one before it.
     *
     * @throws CliException as usage if that cannot be known, since the repository does not have all commits
     */
    boolean isAncestor(String commit);

    /** The newest commit that changed a file; empty if git does not know it, or it is changed since. */
    Optional<Change> lastChange(String path);

    record Change(String commit, Instant at) {}

    /** Of a repository on disk; needs the program {@code git}. */
    static DossierTree of(Path root) {
        return new Git(root);
    }

    /**
     * The program. Replaced and grafted commits are not believed. Filters of the repository's own configuration may be run by it; what
     * they make of a file is no answer of {@link #isCommitted}.
     */
    final class Git implements DossierTree {
        private static final long SECONDS_MAX = 60;
        private static final int OUTPUT_BYTES_MAX = 16 << 20;

        private final Path root;
        /** Object ids of the commit's regular files by path. */
        private @Nullable Map<String, String> blobs;

        private Git(Path root) {
            this.root = root;
            if (!run("rev-parse", "--show-prefix").out().isBlank()) {
                throw new CliException(
                        ExitCode.USAGE,
                        root + " is not the top of a repository",
                        "Run this there, or give --repository.");
            }
        }

        @Override
        public String head() {
            return good("rev-parse", "--verify", "HEAD^{commit}").strip();
        }

        @Override
        public List<String> changes() {
            return paths(good("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"));
        }

        private static List<String> paths(String status) {
            List<String> paths = new ArrayList<>();
            for (String entry : status.split("\0", -1)) {
                if (entry.length() > 3) {
                    paths.add(entry.substring(3));
                }
            }
            return paths;
        }

        @Override
        public boolean isCommitted(String path, byte[] bytes) {
            if (blobs == null) {
                blobs = readBlobs();
            }
            String committed = blobs.get(path);
            return committed != null && committed.equals(blobId(bytes, committed.length()));
        }

        private Map<String, String> readBlobs() {
            Map<String, String> read = new HashMap<>();
            for (String entry : good("ls-tree", "-r", "-z", "HEAD").split("\0", -1)) {
                int tab = entry.indexOf('\t');
                if (tab > 0 && entry.startsWith("100")) { // neither link nor submodule
                    read.put(entry.substring(tab + 1), entry.substring(entry.lastIndexOf(' ', tab) + 1, tab));
                }
            }
            return read;
        }

        /** As git computes it; its length says by which digest. */
        private static String blobId(byte[] bytes, int length) {
            try {
                MessageDigest digest = MessageDigest.getInstance(length == 40 ? "SHA-1" : "SHA-256");
                digest.update(("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII));
                return HexFormat.of().formatHex(digest.digest(bytes));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java platform has SHA-1 and SHA-256", e);
            }
        }

        @Override
        public boolean isAncestor(String commit) {
            if (run("merge-base", "--is-ancestor", commit, "HEAD").exitCode() == 0) {
                return true;
            }
            if (good("rev-parse", "--is-shallow-repository").strip().equals("true")) {
                throw new CliException(
                        ExitCode.USAGE,
                        root + " is a shallow repository: whether commit " + commit
                                + " is one before HEAD cannot be known",
                        "Run git fetch --unshallow.");
            }
            return false;
        }

        @Override
        public Optional<Change> lastChange(String path) {
            if (!good("status", "--porcelain=v1", "--untracked-files=all", "--", path)
                    .isBlank()) {
                return Optional.empty();
            }
            String[] change =
                    good("log", "-1", "--format=%H %cI", "--", path).strip().split(" ", 2);
            return change.length < 2
                    ? Optional.empty()
                    : Optional.of(new Change(
                            change[0], OffsetDateTime.parse(change[1]).toInstant()));
        }

        private record Answer(int exitCode, String out) {}

        private String good(String... arguments) {
            Answer answer = run(arguments);
            if (answer.exitCode() != 0) {
                throw new CliException(
                        ExitCode.ERROR,
                        "git " + arguments[0] + " in " + root + " ended with " + answer.exitCode(),
                        "A dossier is made of a repository, in which git works.");
            }
            return answer.out();
        }

        private Answer run(String... arguments) {
            List<String> command =
                    new ArrayList<>(List.of("git", "--no-replace-objects", "-c", "core.fsmonitor=false"));
            command.addAll(List.of("-c", "core.quotePath=false", "-c", "core.commitGraph=false"));
            command.addAll(List.of(arguments));
            ProcessBuilder builder =
                    new ProcessBuilder(command).directory(root.toFile()).redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().keySet().removeIf(name -> name.startsWith("GIT_"));
            builder.environment().put("GIT_OPTIONAL_LOCKS", "0");
            builder.environment().put("GIT_GRAFT_FILE", "/dev/null");
            builder.environment().put("LC_ALL", "C");
            try {
                Process process = builder.start();
                try {
                    process.getOutputStream().close();
                    byte[] out = process.getInputStream().readNBytes(OUTPUT_BYTES_MAX);
                    if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
                        throw new IOException("git did not end within " + SECONDS_MAX + " s");
                    }
                    return new Answer(process.exitValue(), new String(out, StandardCharsets.UTF_8));
                } finally {
                    process.destroyForcibly();
                }
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.ERROR, "git cannot be asked: " + e.getMessage(), "Install git, or check the path.");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CliException(ExitCode.ERROR, "interrupted", "");
            }
        }
    }
}
