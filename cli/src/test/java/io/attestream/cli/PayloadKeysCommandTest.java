// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.objects.keys.PayloadKeysSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PayloadKeysCommandTest {
    @TempDir
    private Path data;

    private Path keys;
    private Path keyFile;
    private Path newKeyFile;

    @BeforeEach
    void name() {
        keys = data.resolve("payload-keys");
        keyFile = data.resolve("keys/payload-keys.key");
        newKeyFile = data.resolve("keys/payload-keys.key.new");
    }

    private String id() throws IOException {
        return PayloadKeysSetting.open(Optional.of(keys.toString()), Optional.of(keyFile), 1)
                .orElseThrow()
                .id();
    }

    @Test
    void whatWasMadeStays() throws IOException {
        // given
        PayloadKeysCommand.encryptPayloads(data);
        String id = id();

        // when
        PayloadKeysCommand.encryptPayloads(data);

        // then
        assertThat(id()).isEqualTo(id);
        assertThat(newKeyFile).doesNotExist();
        assertThat(Files.getPosixFilePermissions(keyFile)).hasSize(2);
    }

    @Test
    void whatWasKilledIsBegunAnew() throws IOException {
        // given a key file of which nothing was written, and half a store
        Files.createDirectories(data.resolve("keys"));
        Files.createFile(newKeyFile);
        Files.createDirectories(data.resolve("payload-keys.new"));
        Files.writeString(data.resolve("payload-keys.new/check"), "of another key");

        // when
        PayloadKeysCommand.encryptPayloads(data);

        // then
        assertThat(id()).hasSize(32);
        assertThat(data.resolve("payload-keys.new")).doesNotExist();
    }

    @Test
    void whatWasKilledBeforeItsLastStepIsEnded() throws IOException {
        // given
        PayloadKeysCommand.encryptPayloads(data);
        String id = id();
        Files.move(keyFile, newKeyFile);

        // when
        PayloadKeysCommand.encryptPayloads(data);

        // then
        assertThat(id()).isEqualTo(id);
    }

    /** Its disk may not be mounted: another one would have other keys. */
    @Test
    void aLostPlaceIsNotMadeAgain() throws IOException {
        // given
        PayloadKeysCommand.encryptPayloads(data);
        Files.move(keys, data.resolve("elsewhere"));

        // when
        PayloadKeysCommand.encryptPayloads(data);

        // then
        assertThat(keys).doesNotExist();
    }

    @Test
    void keysWithoutTheirKeyFileAreLeftAlone() throws IOException {
        // given
        PayloadKeysCommand.encryptPayloads(data);
        Files.delete(keyFile);

        // then
        assertThatThrownBy(() -> PayloadKeysCommand.encryptPayloads(data))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("payload-keys.key is not there");
        assertThat(keyFile).doesNotExist();
    }
}
