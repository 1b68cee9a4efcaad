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
        BearerSecret secret = BearerSecret.read(Files.writeString(directory.resolve("secret"), "s3cret-of-16-bytes\n"));
        assertThat(secret.isPresented(List.of("Bearer s3cret-of-16-bytes"))).isTrue();
        assertThat(secret.isPresented(null)).isFalse();
        assertThat(secret.isPresented(List.of())).isFalse();
        assertThat(secret.isPresented(List.of("Bearer s3cret-of-16-bytes", "Bearer s3cret-of-16-bytes")))
                .isFalse();
        for (String other : List.of(
                "Bearer ",
                "Bearer s3cret-of-16-byte",
                "Bearer s3cret-of-16-bytes2",
                "Bearer  s3cret-of-16-bytes",
                "Basic s3cret-of-16-bytes",
                "s3cret-of-16-bytes",
                "")) {
            assertThat(secret.isPresented(List.of(other))).as(other).isFalse();
        }
        assertThat(secret.toString()).doesNotContain("s3cret-of-16-bytes");
    }

    @Test
    void aShortOneIsNone() throws IOException {
        Path empty = Files.writeString(directory.resolve("empty"), " fifteen-bytes-1\n");
        assertThatThrownBy(() -> BearerSecret.read(empty))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("16 characters");
    }
}
