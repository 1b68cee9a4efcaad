// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.DossierDecision.Criterion;
import io.attestream.cli.DossierDecision.Evidence;
import io.attestream.cli.DossierDecision.Line;
import io.attestream.cli.DossierDecision.Outcome;
import io.attestream.cli.DossierDecision.Reason;
import io.attestream.cli.DossierDecision.Waiver;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** A decision for people: as Markdown, and as one HTML page without scripts. All of it is in {@code decision.json}. */
final class DossierPages {
    private static final int DIGEST_SHOWN = 12;
    private static final List<String> LINE_HEAD = List.of("what", "file", "required", "observed", "outcome");

    private DossierPages() {}

    // ---- Markdown

    static byte[] markdown(DossierDecision decision) {
        List<String> out = new ArrayList<>();
        out.add("# Launch dossier: " + decision.decision().word());
        out.add("");
        out.add("Of " + decision.at() + ", commit `" + decision.commit() + "`. Policy `"
                + md(decision.policy().path())
                + "`, SHA-256 `" + decision.policy().sha256() + "`; evidence `"
                + md(decision.evidence().path()) + "`, SHA-256 `"
                + decision.evidence().sha256() + "`.");
        out.add("");
        out.add("Computed of files alone. Who signs off does so apart from it.");
        section(
                out,
                "Why not GO",
                List.of("criterion", "file", "what"),
                decision.reasons().stream()
                        .map(reason -> List.of(reason.criterion(), reason.file(), reason.what()))
                        .toList());
        section(
                out,
                "Criteria",
                List.of("criterion", "outcome", "claim"),
                decision.criteria().stream()
                        .map(criterion -> List.of(criterion.id(), outcome(criterion), criterion.claim()))
                        .toList());
        section(
                out,
                "Waivers",
                List.of("file", "criterion", "owner", "reason", "expires", "counts"),
                decision.waivers().stream()
                        .map(waiver -> List.of(
                                waiver.path(),
                                waiver.criterion(),
                                waiver.owner(),
                                waiver.reason(),
                                waiver.expiresAt(),
                                counts(waiver)))
                        .toList());
        for (Criterion criterion : decision.criteria()) {
            section(
                    out,
                    criterion.id() + ": " + outcome(criterion),
                    LINE_HEAD,
                    criterion.lines().stream()
                            .map(line -> List.of(
                                    line.what(),
                                    line.file(),
                                    line.required(),
                                    line.observed(),
                                    line.outcome().words()))
                            .toList());
            if (!criterion.evidence().isEmpty()) {
                out.add("");
                table(
                        out,
                        List.of("file", "SHA-256", "made", "commit", "verified"),
                        criterion.evidence().stream()
                                .map(file -> List.of(
                                        file.path(), file.sha256(), file.madeAt(), file.commit(), verified(file)))
                                .toList());
            }
        }
        return (String.join("\n", out) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static void section(List<String> out, String heading, List<String> head, List<List<String>> rows) {
        out.add("");
        out.add("## " + md(heading));
        out.add("");
        if (rows.isEmpty()) {
            out.add("None.");
        } else {
            table(out, head, rows);
        }
    }

    private static void table(List<String> out, List<String> head, List<List<String>> rows) {
        out.add("| " + String.join(" | ", head) + " |");
        out.add("|" + " --- |".repeat(head.size()));
        rows.forEach(row -> out.add(
                "| " + String.join(" | ", row.stream().map(DossierPages::md).toList()) + " |"));
    }

    /** Nothing of a file is markup. */
    private static String md(String text) {
        return DossierDecision.shown(text)
                .replaceAll("([\\\\`*_\\[\\]|])", "\\\\$1")
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;");
    }

    static String outcome(Criterion criterion) {
        String words = criterion.outcome().words();
        long notAssessed = criterion.lines().stream()
                .filter(line -> line.outcome() == Outcome.NOT_ASSESSED)
                .count();
        if (criterion.outcome() == Outcome.PASSED && notAssessed > 0) {
            return words + ", " + notAssessed + " not assessed";
        }
        boolean open = criterion.outcome() == Outcome.FAILED || criterion.outcome() == Outcome.NOT_ASSESSED;
        return open && !criterion.blocks() ? words + ", does not block" : words;
    }

    private static String verified(Evidence file) {
        return file.problem().isEmpty() ? "yes" : "no: " + file.problem();
    }

    private static String counts(Waiver waiver) {
        return waiver.problem().isEmpty() ? "yes" : "no: " + waiver.problem();
    }

    // ---- HTML

    static byte[] html(DossierDecision decision) {
        String style = style();
        StringBuilder out = new StringBuilder(1 << 16);
        out.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-")
                .append(base64Digest(style))
                .append("'; base-uri 'none'; form-action 'none'\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<meta name=\"referrer\" content=\"no-referrer\">\n<title>Launch dossier: ")
                .append(decision.decision().word())
                .append("</title>\n<style>")
                .append(style)
                .append("</style>\n</head>\n<body>\n<main>\n");
        header(out, decision);
        reasons(out, decision.reasons());
        overview(out, decision.criteria());
        waivers(out, decision.waivers());
        out.append("<h2>Line by line</h2>\n");
        decision.criteria().forEach(criterion -> criterion(out, criterion));
        out.append("</main>\n</body>\n</html>\n");
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void header(StringBuilder out, DossierDecision decision) {
        out.append("<header class=\"")
                .append(decision.decision().word().toLowerCase(Locale.ROOT))
                .append("\">\n<p>Launch dossier</p>\n<h1>")
                .append(decision.decision().word())
                .append("</h1>\n<p>");
        for (Outcome outcome : Outcome.values()) {
            long count = decision.criteria().stream()
                    .filter(criterion -> criterion.outcome() == outcome)
                    .count();
            if (count > 0) {
                out.append("<span class=\"")
                        .append(css(outcome))
                        .append("\">")
                        .append(count)
                        .append(' ');
                out.append(outcome.words()).append("</span> ");
            }
        }
        out.append("</p>\n<dl>\n");
        term(out, "Decided at", html(decision.at()));
        term(out, "Commit", "<code>" + html(decision.commit()) + "</code>");
        term(
                out,
                "Policy",
                link("policy.json", decision.policy().path()) + " <code>"
                        + html(decision.policy().sha256()) + "</code>");
        String manifest = decision.evidence().path();
        term(
                out,
                "Evidence",
                link(manifest.substring(manifest.lastIndexOf('/') + 1), manifest) + " <code>"
                        + html(decision.evidence().sha256()) + "</code>");
        out.append(
                        "</dl>\n<p>Computed of files alone; every line below leads to the file it was read from. Who signs off")
                .append(" does so apart from it.</p>\n</header>\n");
    }

    private static void term(StringBuilder out, String name, String html) {
        out.append("<div><dt>").append(name).append("</dt><dd>").append(html).append("</dd></div>\n");
    }

    private static void reasons(StringBuilder out, List<Reason> reasons) {
        if (reasons.isEmpty()) {
            return;
        }
        out.append("<h2>Why it is NO-GO</h2>\n<ul class=\"reasons\">\n");
        for (Reason reason : reasons) {
            out.append("<li>");
            if (!reason.criterion().isEmpty()) {
                out.append(link("#" + reason.criterion(), reason.criterion())).append(": ");
            }
            if (!reason.file().isEmpty()) {
                out.append("<code>").append(html(reason.file())).append("</code> ");
            }
            out.append(html(reason.what())).append("</li>\n");
        }
        out.append("</ul>\n");
    }

    private static void overview(StringBuilder out, List<Criterion> criteria) {
        out.append("<h2>Criteria</h2>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">criterion</th>")
                .append("<th scope=\"col\">outcome</th><th scope=\"col\">claim</th></tr></thead>\n<tbody>\n");
        for (Criterion criterion : criteria) {
            out.append("<tr><th scope=\"row\">")
                    .append(link("#" + criterion.id(), criterion.id()))
                    .append("</th>");
            cell(out, badge(criterion.outcome(), outcome(criterion)));
            cell(out, html(criterion.claim()));
            out.append("</tr>\n");
        }
        out.append("</tbody></table></div>\n");
    }

    private static void waivers(StringBuilder out, List<Waiver> waivers) {
        if (waivers.isEmpty()) {
            return;
        }
        out.append("<h2>Waivers</h2>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">file</th>")
                .append("<th scope=\"col\">criterion</th><th scope=\"col\">owner</th><th scope=\"col\">reason</th>")
                .append("<th scope=\"col\">expires</th><th scope=\"col\">counts</th></tr></thead>\n<tbody>\n");
        for (Waiver waiver : waivers) {
            out.append("<tr>");
            String name = waiver.path().substring(waiver.path().lastIndexOf('/') + 1);
            cell(out, link("waivers/" + name, waiver.path()));
            for (String text :
                    List.of(waiver.criterion(), waiver.owner(), waiver.reason(), waiver.expiresAt(), counts(waiver))) {
                cell(out, html(text));
            }
            out.append("</tr>\n");
        }
        out.append("</tbody></table></div>\n");
    }

    private static void criterion(StringBuilder out, Criterion criterion) {
        out.append("<section id=\"")
                .append(html(criterion.id()))
                .append("\">\n<h3>")
                .append(html(criterion.id()));
        out.append(' ').append(badge(criterion.outcome(), outcome(criterion))).append("</h3>\n<p>");
        out.append(html(criterion.claim())).append(" <small>").append(html(criterion.reference()));
        out.append("</small></p>\n<div class=\"wide\"><table>\n<thead><tr>");
        LINE_HEAD.forEach(name -> out.append("<th scope=\"col\">").append(name).append("</th>"));
        out.append("</tr></thead>\n<tbody>\n");
        for (Line line : criterion.lines()) {
            out.append("<tr>");
            cell(out, html(line.what()));
            cell(out, file(criterion, line.file()));
            cell(out, html(line.required()));
            cell(out, html(line.observed()));
            cell(out, badge(line.outcome(), line.outcome().words()));
            out.append("</tr>\n");
        }
        out.append("</tbody></table></div>\n");
        evidence(out, criterion.evidence());
        out.append("</section>\n");
    }

    private static void evidence(StringBuilder out, List<Evidence> evidence) {
        if (evidence.isEmpty()) {
            return;
        }
        out.append("<details><summary>").append(evidence.size()).append(evidence.size() == 1 ? " file" : " files");
        out.append(" of evidence</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">file</th>")
                .append("<th scope=\"col\">SHA-256</th><th scope=\"col\">made</th><th scope=\"col\">commit</th>")
                .append("<th scope=\"col\">verified</th></tr></thead>\n<tbody>\n");
        for (Evidence file : evidence) {
            out.append("<tr>");
            cell(out, file.problem().isEmpty() ? copy(file.path()) : html(file.path()));
            cell(out, "<code>" + html(file.sha256()) + "</code>");
            cell(out, html(file.madeAt()));
            cell(
                    out,
                    "<code>"
                            + html(file.commit()
                                    .substring(
                                            0,
                                            Math.min(DIGEST_SHOWN, file.commit().length()))) + "</code>");
            cell(
                    out,
                    file.problem().isEmpty()
                            ? badge(Outcome.PASSED, "yes")
                            : badge(Outcome.FAILED, "no") + " " + html(file.problem()));
            out.append("</tr>\n");
        }
        out.append("</tbody></table></div></details>\n");
    }

    /** A link to the copy of a file in the dossier, if there is one. */
    private static String file(Criterion criterion, String path) {
        boolean isCopied = criterion.evidence().stream()
                .anyMatch(file -> file.path().equals(path) && file.problem().isEmpty());
        return isCopied ? copy(path) : html(path);
    }

    private static String copy(String path) {
        return link(Dossier.EVIDENCE + "/" + path, path);
    }

    private static String link(String target, String text) {
        return "<a href=\"" + html(target) + "\">" + html(text) + "</a>";
    }

    private static String badge(Outcome outcome, String words) {
        return "<span class=\"" + css(outcome) + "\">" + html(words) + "</span>";
    }

    private static String css(Outcome outcome) {
        return "badge " + outcome.words().replace(' ', '-');
    }

    private static void cell(StringBuilder out, String html) {
        out.append("<td>").append(html).append("</td>");
    }

    private static String html(String text) {
        return DossierDecision.shown(text)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    private static String style() {
        try (InputStream in = Objects.requireNonNull(DossierPages.class.getResourceAsStream("dossier.css"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** So that the page allows this style and no other. */
    private static String base64Digest(String style) {
        String digest = DrillEvidence.sha256(style.getBytes(StandardCharsets.UTF_8));
        return Base64.getEncoder().encodeToString(HexFormat.of().parseHex(digest));
    }
}
