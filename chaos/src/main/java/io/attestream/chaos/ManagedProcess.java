// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A child process that can be started, killed, suspended, resumed and started again with the same command. Its standard input
 * stays open as long as this process lives: see {@link io.attestream.chaos.agent.ChildAgent}. Thread-safe.
 */
public final class ManagedProcess implements AutoCloseable {
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration KILL_TIMEOUT = Duration.ofSeconds(10);
    private static final long POLL_NANOS = 50_000_000;
    private static final int LOG_TAIL_LINES = 40;
    /** Exit code of a process that ended by SIGKILL. */
    private static final int KILLED = 128 + 9;

    /**
     * What configures a service. A child never gets it from the shell the launcher was started in: there it is meant for
     * something else, for example a production system.
     */
    private static final Pattern SETTING = Pattern.compile("(ATTESTREAM|QUARKUS|SMALLRYE|MP|APICURIO|KAFKA|JWT|JWKS)_.*"
            + "|ENV|APP_ENV|ENVIRONMENT|DEPLOY_ENV|DEPLOYMENT|AUTH_POLICY|ALLOW_INSECURE_DEV");

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();

    private final String name;
    private final List<String> command;
    private final Supplier<Map<String, String>> settings;
    private final Path log;
    private @Nullable Process process;

    /**
     * @param environment its settings; it gets this process's own environment too, without what configures services
     * @param log standard output and error are appended to it
     */
    public ManagedProcess(String name, List<String> command, Map<String, String> environment, Path log) {
        this(name, command, constant(environment), log);
    }

    /** @param settings asked for at every start */
    ManagedProcess(String name, List<String> command, Supplier<Map<String, String>> settings, Path log) {
        this.name = name;
        this.command = List.copyOf(command);
        this.settings = settings;
        this.log = log;
    }

    private static Supplier<Map<String, String>> constant(Map<String, String> environment) {
        Map<String, String> copy = Map.copyOf(environment);
        return () -> copy;
    }

    public String name() {
        return name;
    }

    public Path log() {
        return log;
    }

    /** Starts it, or does nothing if it runs. */
    public synchronized ManagedProcess start() {
        if (isAlive()) {
            return this;
        }
        Map<String, String> environment = settings.get();
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            builder.environment()
                    .keySet()
                    .removeIf(variable -> !environment.containsKey(variable)
                            && SETTING.matcher(variable).matches());
            builder.environment().putAll(environment);
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(name + " could not be started", e);
        }
        return this;
    }

    public synchronized boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Process id of the running or last life. */
    public synchronized long pid() {
        return required().pid();
    }

    /** Its running life, for others to find it by. */
    public synchronized ClusterFile.ProcessEntry entry() {
        return ClusterFile.ProcessEntry.of(name, required().toHandle());
    }

    /** Exit code of a life that ended. */
    public synchronized int exitCode() {
        return required().exitValue();
    }

    private Process required() {
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process;
    }

    /**
     * SIGKILL, and waits until it is gone.
     *
     * @throws IllegalStateException if it does not run or ends in another way: a death of its own is never taken for this
     */
    public void kill() {
        Process current = current();
        if (current == null || !current.isAlive()) {
            throw new IllegalStateException(name + " was to be killed and does not run; " + logTail());
        }
        killNow(current);
        if (current.exitValue() != KILLED) {
            throw new IllegalStateException(name + " was to be killed and ended by itself with exit code "
                    + current.exitValue() + "; " + logTail());
        }
    }

    private void killNow(Process current) {
        current.destroyForcibly();
        if (!awaitExit(current, KILL_TIMEOUT)) {
            throw new IllegalStateException(name + " does not end although it was killed");
        }
    }

    /** SIGTERM, and SIGKILL if it does not end within 20 s. */
    public void stop() {
        Process current = current();
        if (current != null && current.isAlive()) {
            // The process itself would close the child's standard input too, and the child end by that.
            current.toHandle().destroy();
            if (!awaitExit(current, STOP_TIMEOUT)) {
                killNow(current);
            }
        }
    }

    /** SIGSTOP: it stands still, its connections stay open. */
    public void suspend() {
        signal("STOP");
    }

    /** SIGCONT. */
    public void resume() {
        signal("CONT");
    }

    /** As {@link #kill}, and starts it again. */
    public ManagedProcess restart() {
        kill();
        return start();
    }

    /** Waits for it to end by itself; false if it did not in time. */
    public boolean awaitExit(Duration timeout) {
        Process current = current();
        return current == null || awaitExit(current, timeout);
    }

    /**
     * Waits until the URL answers 200.
     *
     * @throws IllegalStateException with the end of the log, if the process ends or the time is up first
     */
    public void awaitReady(URI url, Duration timeout) {
        await("is not ready at " + url, timeout, () -> answersOk(url));
    }

    /** As {@link #awaitReady}, for any condition. */
    public void await(String otherwise, Duration timeout, BooleanSupplier condition) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!condition.getAsBoolean()) {
            if (!isAlive()) {
                throw new IllegalStateException(name + " ended with exit code " + exitCode() + "; " + logTail());
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        name + " " + otherwise + " after " + timeout.toSeconds() + " s; " + logTail());
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    static boolean answersOk(URI url) {
        HttpRequest request =
                HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(5)).build();
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + url, e);
        }
    }

    /** The last lines of its log. */
    public String logTail() {
        try {
            List<String> lines =
                    Files.readString(log, StandardCharsets.UTF_8).lines().toList();
            List<String> tail = lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size());
            return "the log " + log + " ends with\n" + String.join("\n", tail);
        } catch (IOException e) {
            return "its log " + log + " cannot be read";
        }
    }

    /** Stops it. */
    @Override
    public void close() {
        stop();
    }

    private synchronized @Nullable Process current() {
        return process;
    }

    private boolean awaitExit(Process current, Duration timeout) {
        try {
            return current.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + name + " to end", e);
        }
    }

    private void signal(String signal) {
        try {
            Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid())).start();
            if (!awaitExit(kill, KILL_TIMEOUT) || kill.exitValue() != 0) {
                throw new IllegalStateException("SIG" + signal + " could not be sent to " + name);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("SIG" + signal + " could not be sent to " + name, e);
        }
    }
}
