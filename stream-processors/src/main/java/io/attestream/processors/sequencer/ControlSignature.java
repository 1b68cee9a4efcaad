// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The signature of a control record alone, without a look at what the record says (docs/entry-format.md). */
final class ControlSignature {
    private static final byte[] DOMAIN = "attestream/control/v1\n".getBytes(StandardCharsets.UTF_8);
    private static final int KEY_ID_SIZE_BYTES = 4;
    private static final int SIGNATURE_SIZE_BYTES = 64;

    private ControlSignature() {}

    /** Whether this key signed the record, which may be of a version nobody here can read. */
    static boolean isBy(NoteVerifier key, byte[] control) {
        try {
            Map<String, JsonValue> members =
                    new HashMap<>(Jcs.parseCanonicalObject(control).members());
            if (!(members.remove("signature") instanceof JsonString text)) {
                return false;
            }
            ByteBuffer idAndSignature = ByteBuffer.wrap(
                    Base64Text.decode(text.value(), KEY_ID_SIZE_BYTES + SIGNATURE_SIZE_BYTES, "signature"));
            int keyId = idAndSignature.getInt();
            byte[] signature = new byte[SIGNATURE_SIZE_BYTES];
            idAndSignature.get(signature);
            return keyId == key.keyId() && key.verifyBytes(signed(new JsonObject(members)), signature);
        } catch (InvalidFormat e) {
            return false;
        }
    }

    private static byte[] signed(JsonObject withoutSignature) {
        byte[] json = Jcs.encode(withoutSignature);
        byte[] signed = Arrays.copyOf(DOMAIN, DOMAIN.length + json.length);
        System.arraycopy(json, 0, signed, DOMAIN.length, json.length);
        return signed;
    }
}
