// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameStartingWith;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Dependencies point one way: services → schemas → proofs; nothing points back. */
class LayeringTest {
    private static final String PROOFS = "io.attestream.proofs..";
    private static final String SCHEMAS = "io.attestream.schemas..";
    private static final String GATEWAY = "io.attestream.gateway..";
    private static final String PROCESSORS = "io.attestream.processors..";
    private static final String CHECKPOINTER = "io.attestream.checkpointer..";
    private static final String CHAOS = "io.attestream.chaos..";
    private static final String CLI = "io.attestream.cli..";
    private static final String BENCHMARKS = "io.attestream.benchmarks..";

    private static JavaClasses classes;

    @BeforeAll
    static void importAllModules() throws IOException {
        Path home = Path.of(System.getProperty("attestream.home"));
        String parent = Files.readString(home.resolve("pom.xml"));
        List<Path> modules = Pattern.compile("<module>([a-z-]+)</module>")
                .matcher(parent)
                .results()
                .map(module -> home.resolve(module.group(1)).resolve("target/classes"))
                .toList();
        assertThat(modules).isNotEmpty().allSatisfy(module -> assertThat(module).isNotEmptyDirectory());
        classes = new ClassFileImporter().importPaths(modules);
    }

    /** A module that is added needs its rule below. */
    @Test
    void hasARuleForEveryModule() {
        Set<String> modules = classes.stream()
                .map(JavaClass::getPackageName)
                .filter(name -> name.startsWith("io.attestream."))
                .map(name -> List.of(name.split("\\.", -1)).get(2))
                .collect(Collectors.toSet());
        assertThat(modules)
                .containsExactlyInAnyOrder(
                        "proofs",
                        "access",
                        "schemas",
                        "objects",
                        "chaos",
                        "gateway",
                        "processors",
                        "checkpointer",
                        "operations",
                        "cli",
                        "benchmarks");
    }

    @Test
    void proofsNeedNothingButTheJdk() {
        noClasses()
                .that()
                .resideInAPackage(PROOFS)
                .should()
                .dependOnClassesThat()
                .resideOutsideOfPackages(PROOFS, "java..", "javax.crypto..", "org.jspecify.annotations..")
                .check(classes);
    }

    @Test
    void theGateKnowsNothingOfWhatIsBehindIt() {
        dependsOnNone(
                        "io.attestream.access..",
                        PROOFS,
                        SCHEMAS,
                        "io.attestream.objects..",
                        "io.attestream.operations..",
                        GATEWAY,
                        PROCESSORS,
                        CHECKPOINTER,
                        CHAOS,
                        CLI)
                .check(classes);
    }

    @Test
    void schemasKnowProofsOnly() {
        dependsOnNone(SCHEMAS, GATEWAY, PROCESSORS, CHECKPOINTER, CHAOS, CLI).check(classes);
    }

    @Test
    void theObjectStoreKnowsProofsOnly() {
        dependsOnNone("io.attestream.objects..", SCHEMAS, GATEWAY, PROCESSORS, CHECKPOINTER, CHAOS, CLI)
                .check(classes);
    }

    @Test
    void operationsKnowKafkaOnly() {
        dependsOnNone("io.attestream.operations..", PROOFS, SCHEMAS, GATEWAY, PROCESSORS, CHECKPOINTER, CHAOS, CLI)
                .check(classes);
    }

    @Test
    void servicesDoNotKnowEachOther() {
        dependsOnNone(GATEWAY, PROCESSORS, CHECKPOINTER, CHAOS, CLI).check(classes);
        dependsOnNone(PROCESSORS, GATEWAY, CHECKPOINTER, CHAOS, CLI).check(classes);
        dependsOnNone(CHECKPOINTER, GATEWAY, PROCESSORS, CHAOS, CLI).check(classes);
    }

    @Test
    void theLocalClusterStartsProcessesAndLinksNothing() {
        dependsOnNone(CHAOS, SCHEMAS, GATEWAY, PROCESSORS, CHECKPOINTER, CLI).check(classes);
    }

    /** The judge of histories builds roots anew, which takes the definition of a tree and nothing of any service. */
    @Test
    void onlyTheJudgeOfHistoriesKnowsProofs() {
        noClasses()
                .that()
                .resideInAPackage(CHAOS)
                .and()
                .resideOutsideOfPackage("io.attestream.chaos.history..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(PROOFS)
                .check(classes);
        noClasses()
                .that()
                .resideInAPackage("io.attestream.chaos.history..")
                .should()
                .dependOnClassesThat()
                .resideOutsideOfPackages(
                        "io.attestream.chaos.history..",
                        "io.attestream.proofs",
                        "io.attestream.proofs.json..",
                        "io.attestream.proofs.tree..",
                        "java..",
                        "org.jspecify.annotations..")
                .check(classes);
    }

    @Test
    void commandLineAndBenchmarksUseNothingOfServicesButTheirChecksAndRestores() {
        noClasses()
                .that()
                .resideInAnyPackage(CLI, BENCHMARKS)
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.attestream.checkpointer", GATEWAY, PROCESSORS)
                        .and(not(nameStartingWith("io.attestream.checkpointer.Rebuild")))
                        .and(not(nameStartingWith("io.attestream.checkpointer.ArchiveCheck")))
                        .and(not(nameStartingWith("io.attestream.checkpointer.SnapshotList")))
                        .and(not(nameStartingWith("io.attestream.checkpointer.ArchiveRestore")))
                        .and(not(nameStartingWith("io.attestream.processors.StateCheck")))
                        .and(not(nameStartingWith("io.attestream.processors.StateRestore"))))
                .check(classes);
    }

    @Test
    void nobodyKnowsTheBenchmarks() {
        noClasses()
                .that()
                .resideOutsideOfPackage(BENCHMARKS)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(BENCHMARKS)
                .check(classes);
        dependsOnNone(BENCHMARKS, CLI).check(classes);
    }

    @Test
    void theMonitorNeedsNoKafka() {
        dependsOnNone("io.attestream.checkpointer.monitor..", "org.apache.kafka..", SCHEMAS)
                .check(classes);
    }

    @Test
    void onlyTheProcessorsAndTheirBaselineUseKafkaStreams() {
        noClasses()
                .that()
                .resideOutsideOfPackages(PROCESSORS, BENCHMARKS)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.kafka.streams..")
                .check(classes);
    }

    @Test
    void aForbiddenDependencyIsSeen() {
        assertThatThrownBy(() -> dependsOnNone(SCHEMAS, PROOFS).check(classes)).isInstanceOf(AssertionError.class);
    }

    private static ArchRule dependsOnNone(String from, String... forbidden) {
        return noClasses()
                .that()
                .resideInAPackage(from)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden);
    }
}
