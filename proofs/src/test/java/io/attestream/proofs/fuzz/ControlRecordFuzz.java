// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/** A control record has one text only; the input is signed first, so that the members behind the signature are reached. */
public final class ControlRecordFuzz {
    private ControlRecordFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            try {
                ControlRecord.read(input, Keys.LEDGER);
            } catch (InvalidFormat e) {
                // most often the signature
            }
            byte[] signed = signed(Json.parseObject(input));
            Control control = ControlRecord.read(signed, Keys.LEDGER);
            Holds.sameBytes(signed, ControlRecord.sign(control, Keys.SIGNER));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static byte[] signed(JsonObject object) {
        Map<String, JsonValue> members = new LinkedHashMap<>(object.members());
        members.remove("signature");
        byte[] json = Jcs.encode(new JsonObject(members));
        byte[] domain = "attestream/control/v1\n".getBytes(StandardCharsets.UTF_8);
        byte[] signature = Keys.SIGNER.signBytes(Keys.concat(domain, json));
        byte[] idAndSignature = Keys.concat(Keys.id(Keys.LEDGER), signature);
        members.put("signature", new JsonString(Base64.getEncoder().encodeToString(idAndSignature)));
        return Jcs.encode(new JsonObject(members));
    }
}
