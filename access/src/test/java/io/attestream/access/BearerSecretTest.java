// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BearerSecretTest {
    @TempDir
    private Path directory;

    @Test
    void isPresentedByExactlyOneHeaderWithExactlyThisSecret() throws IOException {
        BearerSecret secret = BearerSecret.read(Files.writeString(directory.resolve("secret"), "s3cret\n"));
        assertThat(secret.isPresented(List.of("Bearer s3cret"))).isTrue();
        assertThat(secret.isPresented(null)).isFalse();
        assertThat(secret.isPresented(List.of())).isFalse();
        assertThat(secret.isPresented(List.of("Bearer s3cret", "Bearer s3cret")))
                .isFalse();
        for (String other :
                List.of("Bearer ", "Bearer s3cre", "Bearer s3cret2", "Bearer  s3cret", "Basic s3cret", "s3cret", "")) {
            assertThat(secret.isPresented(List.of(other))).as(other).isFalse();
        }
        assertThat(secret.toString()).doesNotContain("s3cret");
    }

    @Test
    void anEmptyFileIsNoSecret() throws IOException {
        Path empty = Files.writeString(directory.resolve("empty"), " \n");
        assertThatThrownBy(() -> BearerSecret.read(empty))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("empty");
    }
}
