// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.archive.ObjectNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is changed in the archive is found, and named. */
class ArchiveCheckTest {
    private static final long UNBOUNDED = Long.MAX_VALUE;

    @TempDir
    private Path directory;

    private Scene scene;

    @BeforeEach
    void publishThreeEpochs() throws Exception {
        scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        for (String more : List.of("second", "third")) {
            scene.grow(more);
            process.read();
            process.checkpointer.publishNewest();
        }
    }

    private ArchiveCheck.Report check() throws Exception {
        return check(UNBOUNDED);
    }

    private ArchiveCheck.Report check(long bytesPerSecondMax) throws Exception {
        return ((ArchiveCheck.Result.Checked) result(bytesPerSecondMax)).report();
    }

    private ArchiveCheck.Result result(long bytesPerSecondMax) throws Exception {
        return new ArchiveCheck(
                        scene.store,
                        scene.ledger.ledger,
                        1,
                        reader -> List.copyOf(scene.log.committed).forEach(reader),
                        new ArchiveCheck.Pace(bytesPerSecondMax),
                        ArchiveCheck.Listener.NONE)
                .run();
    }

    private Path segment(int epoch) {
        return directory.resolve(scene.published().get(epoch).intent().segment());
    }

    private List<Path> objects() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().matches(".*\\.(seg|pay|note-text)"))
                    .sorted()
                    .toList();
        }
    }

    private String name(Path object) {
        return directory.relativize(object).toString();
    }

    @Test
    void findsNothingInAnArchiveThatHolds() throws Exception {
        // when
        ArchiveCheck.Report report = check();

        // then
        assertThat(report.findings()).isEmpty();
        assertThat(report.found()).isZero();
        assertThat(report.epochs()).isEqualTo(3);
        assertThat(report.leaves())
                .isEqualTo(scene.history().publishedHeads().stream()
                        .mapToLong(head -> head.size().value())
                        .sum());
        assertThat(report.payloads()).isPositive();
        assertThat(report.unreferenced()).isEmpty();
        assertThat(objects()).hasSize(9);
    }

    @Test
    void findsOneBitThatFlippedInAnyObjectAndNamesIt() throws Exception {
        long seed = System.nanoTime();
        System.out.println("ArchiveCheckTest seed " + seed);
        Random random = new Random(seed);
        for (Path object : objects()) {
            // given
            byte[] good = Files.readAllBytes(object);
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(object, bad);

            // then
            assertThat(check().findings())
                    .extracting(ArchiveCheck.Finding::object)
                    .containsExactly(name(object));
            Files.write(object, good);
        }
    }

    @Test
    void findsEveryObjectThatIsMissingNotOnlyTheFirst() throws Exception {
        // given
        List<Path> all = objects();
        for (Path object : all) {
            Files.delete(object);
        }

        // then
        assertThat(check().findings())
                .extracting(ArchiveCheck.Finding::object)
                .containsExactlyInAnyOrderElementsOf(
                        all.stream().map(this::name).toList());
    }

    /** Right by itself, under a right name, and not what was published. */
    @Test
    void findsAnObjectThatWasReplacedByOneWithAGoodDigest() throws Exception {
        // given: the intents' names are what they are, so only a store that lies about a name can do it
        Files.write(segment(1), Files.readAllBytes(segment(2)));

        // then
        assertThat(check().findings()).extracting(ArchiveCheck.Finding::object).containsExactly(name(segment(1)));
    }

    @Test
    void tellsOfObjectsNoEpochNames() throws Exception {
        // given
        byte[] orphan = Files.readAllBytes(segment(1));
        String name = ObjectNames.segment(7, orphan);
        scene.store.putIfAbsent(name, orphan);

        // then
        assertThat(check().unreferenced()).containsExactly(name);
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void readsNoFasterThanItMay() throws Exception {
        // given
        long bytes = check().sizeBytes();
        long begun = System.nanoTime();

        // when
        check(2 * bytes);

        // then
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)).isBetween(450L, 20_000L);
    }

    @Test
    void saysNothingGoodOfNothing() throws Exception {
        // given
        scene.log.committed.clear();

        // then
        assertThat(result(UNBOUNDED)).isInstanceOf(ArchiveCheck.Result.Undecided.class);
    }

    @Test
    void findsThatTheCheckpointsThemselvesDoNotHold() throws Exception {
        // given
        scene.log.committed.remove(1);

        // then
        assertThat(check().findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.object()).isEqualTo("topic checkpoints"));
    }
}
