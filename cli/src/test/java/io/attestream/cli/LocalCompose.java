// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.FreePorts;
import io.attestream.chaos.Installation;
import io.attestream.chaos.JvmCommand;
import io.attestream.chaos.ManagedProcess;
import io.attestream.cli.Compose.Service;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Services of a compose file as processes on loopback. Each gets the environment that stands there and no other; only this is
 * mapped: names and ports to those of loopback, volumes and secrets to directories.
 */
final class LocalCompose implements AutoCloseable {
    private static final Duration HEALTHY = Duration.ofSeconds(120);
    private static final String SECRETS = "/run/secrets/";
    static final String JVM_OPTIONS = "KAFKA_OPTS";

    private final Compose compose;
    private final Map<String, String> variables;
    private final Path directory;
    private final Installation installation = Installation.find();
    private final Pattern address;
    /** By {@code <service>:<port>}. */
    private final Map<String, Integer> ports = new HashMap<>();

    private final Map<String, ManagedProcess> processes = new LinkedHashMap<>();

    /**
     * Starts nothing.
     *
     * @param variables of {@code .env}
     * @param directory that has {@code secrets}; volumes and logs are made in it
     */
    LocalCompose(Compose compose, Map<String, String> variables, Path directory) throws IOException {
        this.compose = compose;
        this.variables = variables;
        this.directory = directory;
        String names = compose.services().stream().map(Service::name).collect(Collectors.joining("|"));
        this.address = Pattern.compile("(?<![\\w.-])(" + names + "|0\\.0\\.0\\.0|127\\.0\\.0\\.1)([:/])(\\d+)");
        Files.createDirectories(directory.resolve("logs"));
    }

    /** Somebody else is this service. */
    void put(String service, int port, URI local) {
        ports.put(service + ":" + port, local.getPort());
    }

    int port(String service, int port) {
        return ports.computeIfAbsent(service + ":" + port, any -> FreePorts.pick());
    }

    URI url(String service, int port) {
        return URI.create("http://127.0.0.1:" + port(service, port));
    }

    ManagedProcess process(String service) {
        return processes.get(service);
    }

    // ---- mapping

    /** What {@code .env} says is of the outside, and is put in as it is. */
    private String mapped(Service service, String text) {
        String local = address.matcher(text).replaceAll(found -> {
            boolean own = found.group(1).matches("[0-9.]+");
            String host = own ? service.name() : found.group(1);
            return "127.0.0.1" + found.group(2) + port(host, Integer.parseInt(found.group(3)));
        });
        local = local.replace("0.0.0.0", "127.0.0.1").replace(SECRETS, directory.resolve("secrets") + "/");
        for (String mount : service.list("volumes")) {
            String[] parts = mount.split(":", -1);
            local = local.replace(
                    parts[1], directory.resolve("volumes").resolve(parts[0]).toString());
        }
        return Compose.interpolate(local, variables);
    }

    Map<String, String> environment(Service service) {
        Map<String, String> environment = new HashMap<>();
        service.environment()
                .forEach((name, value) -> environment.put(
                        name,
                        name.endsWith("_PORT")
                                ? Integer.toString(port(service.name(), Integer.parseInt(value)))
                                : mapped(service, value)));
        return environment;
    }

    private List<String> command(Service service) {
        List<String> command = new ArrayList<>();
        for (String argument : service.list("command")) {
            boolean isPort =
                    !command.isEmpty() && command.get(command.size() - 1).endsWith("-port");
            command.add(
                    isPort
                            ? Integer.toString(port(service.name(), Integer.parseInt(argument)))
                            : mapped(service, argument));
        }
        return command;
    }

    // ---- starting

    /**
     * Starts a service of ours as its image would: by the Dockerfile's entry point, with as much memory as its limit.
     *
     * @param options further ones of the JVM
     */
    ManagedProcess start(String name, String... options) throws IOException {
        Service service = compose.service(name);
        Compose.Image image = Compose.image(service.target());
        Path app = Script.HOME.resolve(image.copied());
        assertDirectory(app);
        makeVolumes(service);
        List<String> command = new ArrayList<>();
        command.add(java());
        command.add("-XX:MaxRAM=" + service.node().path("mem_limit").asText());
        command.add("-javaagent:" + Script.HOME.resolve("chaos/target/agent/child-agent.jar"));
        command.addAll(List.of(options));
        image.entryPoint().stream()
                .skip(1) // java
                .map(part -> part.replace("/app/", app + "/"))
                .forEach(command::add);
        command.addAll(command(service));
        return run(name, command, environment(service));
    }

    private void makeVolumes(Service service) throws IOException {
        for (String mount : service.list("volumes")) {
            Files.createDirectories(directory.resolve("volumes").resolve(mount.substring(0, mount.indexOf(':'))));
        }
    }

    private static void assertDirectory(Path app) {
        if (!Files.isDirectory(app)) {
            throw new IllegalStateException(app + " is missing: run mvn package -DskipTests");
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private ManagedProcess run(String name, List<String> command, Map<String, String> environment) {
        ManagedProcess process = new ManagedProcess(
                name, command, environment, directory.resolve("logs").resolve(name + ".log"));
        processes.put(name, process);
        return process.start();
    }

    /**
     * A broker out of its variables, as the image of Kafka does it: each is a property but {@code KAFKA_OPTS}, the storage is
     * formatted at first.
     *
     * @param options further ones of the JVM
     */
    void startBroker(String name, String... options) throws IOException, InterruptedException {
        Service service = compose.service(name);
        Map<String, String> environment = environment(service);
        String properties = environment.entrySet().stream()
                .filter(variable -> variable.getKey().startsWith("KAFKA_"))
                .filter(variable -> !variable.getKey().equals(JVM_OPTIONS))
                .map(variable ->
                        variable.getKey()
                                        .substring("KAFKA_".length())
                                        .toLowerCase(Locale.ROOT)
                                        .replace('_', '.') + "=" + variable.getValue() + "\n")
                .collect(Collectors.joining());
        Path settings = Files.writeString(directory.resolve(name + ".properties"), properties);
        List<String> format = broker(
                List.of(),
                128,
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                environment.get("CLUSTER_ID"),
                "--config",
                settings.toString());
        ManagedProcess formatting = new ManagedProcess(
                        name, format, Map.of(), directory.resolve("logs").resolve(name + ".log"))
                .start();
        if (!formatting.awaitExit(Duration.ofSeconds(60)) || formatting.exitCode() != 0) {
            formatting.stop();
            throw new IllegalStateException("formatting failed; " + formatting.logTail());
        }
        List<String> jvm = new ArrayList<>(List.of(environment.get(JVM_OPTIONS).split(" ", -1)));
        jvm.addAll(List.of(options));
        run(name, broker(jvm, 512, "kafka.Kafka", settings.toString()), Map.of());
    }

    private List<String> broker(List<String> options, int heapMegabytes, String main, String... arguments) {
        return new JvmCommand(installation, heapMegabytes)
                .with(options.toArray(String[]::new))
                .with("-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .main(installation.brokerLib(), main, arguments);
    }

    /** The registry of the image's version, of which the port and address are not in the environment. */
    void startRegistry(String name, int port) throws IOException {
        makeVolumes(compose.service(name));
        List<String> command = new JvmCommand(installation, 256)
                .with(
                        "-XX:TieredStopAtLevel=1",
                        "-Dquarkus.http.host=127.0.0.1",
                        "-Dquarkus.http.port=" + port(name, port),
                        "-Dquarkus.management.enabled=false")
                .jar(installation.registryJar());
        run(name, command, environment(compose.service(name)));
    }

    // ---- health

    /** Waits until the health check that stands in the file says that the service is well. */
    void awaitHealthy(String name) {
        List<String> check = healthCheck(compose.service(name));
        processes.get(name).await("is not healthy by " + check, HEALTHY, () -> succeeds(check));
    }

    private List<String> healthCheck(Service service) {
        List<String> test = service.healthCheck();
        List<String> command = new ArrayList<>();
        for (String part : test.subList(1, test.size())) {
            command.add(
                    part.matches("\\d+")
                            ? Integer.toString(port(service.name(), Integer.parseInt(part)))
                            : mapped(service, part));
        }
        if (command.get(0).equals("health")) {
            command.set(0, Compose.DEPLOY.resolve("images/health").toString());
        }
        return command;
    }

    private static boolean succeeds(List<String> command) {
        if (command.get(0).equals("curl")) { // not everywhere; with -f it wants what a reader wants
            return answersOk(URI.create(command.get(command.size() - 1)));
        }
        try {
            Process check = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                return check.waitFor(10, TimeUnit.SECONDS) && check.exitValue() == 0;
            } finally {
                check.destroyForcibly();
            }
        } catch (IOException e) {
            throw new IllegalStateException(command + " cannot be run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static boolean answersOk(URI url) {
        try {
            return new Api(url, null).get("", "*/*").status() == 200;
        } catch (CliException e) {
            return false;
        }
    }

    /** Stops everything, who was started last first; brokers are killed: the last would wait for the others. */
    @Override
    public void close() {
        List<ManagedProcess> all = new ArrayList<>(processes.values());
        Collections.reverse(all);
        for (ManagedProcess process : all) {
            if (process.name().startsWith("kafka-") && process.isAlive()) {
                process.kill();
            } else {
                process.stop();
            }
        }
    }
}
