// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalBrokerTest {
    @ParameterizedTest
    @ValueSource(strings = {"/home/jos\u00e9/da ta", "/data/\u8cc7\u6599", "/back\\slash", "/\ud83d\ude00"})
    void aPathIsReadByKafkaAsItIs(String path) throws Exception {
        Properties properties = new Properties();

        properties.load(new ByteArrayInputStream(
                ("log.dirs=" + BrokerSettings.escaped(path)).getBytes(StandardCharsets.ISO_8859_1)));

        assertThat(properties.getProperty("log.dirs")).isEqualTo(path);
    }
}
