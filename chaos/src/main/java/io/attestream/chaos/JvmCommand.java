// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The command line of a child JVM. */
public final class JvmCommand {
    /** Two cores are shared by seven processes: a concurrent collector's threads would cost more than its pauses save. */
    private static final List<String> SMALL = List.of("-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError");

    /** Environment variable with further options, separated by spaces, for every JVM of a local cluster. */
    public static final String OPTIONS = "ATTESTREAM_JAVA_OPTS";

    private final List<String> command = new ArrayList<>();

    public JvmCommand(Installation installation, int heapMegabytes) {
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx" + heapMegabytes + "m");
        command.addAll(SMALL);
        Stream.of(System.getenv().getOrDefault(OPTIONS, "").split(" ", -1))
                .filter(option -> !option.isEmpty())
                .forEach(command::add);
        command.add("-javaagent:" + installation.agentJar());
    }

    public JvmCommand with(String... arguments) {
        command.addAll(List.of(arguments));
        return this;
    }

    public List<String> main(Path lib, String mainClass, String... arguments) {
        command.add("-cp");
        command.add(lib + "/*");
        command.add(mainClass);
        command.addAll(List.of(arguments));
        return List.copyOf(command);
    }

    public List<String> jar(Path jar) {
        command.add("-jar");
        command.add(jar.toString());
        return List.copyOf(command);
    }
}
