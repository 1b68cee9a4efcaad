// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.GameDayReport.Finding;
import io.attestream.cli.GameDayReport.Severity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Says what was not as it has to be on a game day, by what was seen of it. */
final class GameDayJudge {
    private final GameDayScenario scenario;
    private final Seen seen;
    private final List<Finding> findings = new ArrayList<>();

    /**
     * What was seen.
     *
     * @param usersOut how long users were without some of it, zero if they saw nothing; empty if they have not all of it again
     * @param recoveredAt when they had had all of it again for some time, and who was paged was done; empty if not in time
     * @param samples what users had, second by second
     * @param alerts messages of Alertmanager
     * @param steps what who was paged did
     * @param checks of the ledger when all was over
     * @param lostEvents that were acknowledged and are not proved
     * @param refused events that would not be taken, though they were good
     */
    record Seen(
            Optional<Duration> usersOut,
            Optional<Instant> recoveredAt,
            List<SliProbe.Sample> samples,
            List<Pager.Alert> alerts,
            List<Responder.Step> steps,
            List<DrillCheck.Result> checks,
            int lostEvents,
            List<String> refused) {
        Seen {
            samples = List.copyOf(samples);
            alerts = List.copyOf(alerts);
            steps = List.copyOf(steps);
            checks = List.copyOf(checks);
            refused = List.copyOf(refused);
        }
    }

    private GameDayJudge(GameDayScenario scenario, Seen seen) {
        this.scenario = scenario;
        this.seen = seen;
    }

    /** None if all was as the scenario says. */
    static List<Finding> judge(GameDayScenario scenario, Seen seen) {
        GameDayJudge judge = new GameDayJudge(scenario, seen);
        judge.alerts();
        judge.users();
        judge.steps();
        judge.ledger();
        return List.copyOf(judge.findings);
    }

    private void alerts() {
        List<String> woken = seen.alerts().stream()
                .filter(alert -> alert.page() && alert.firing())
                .map(Pager.Alert::name)
                .distinct()
                .toList();
        if (!scenario.pages().isEmpty() && woken.isEmpty()) {
            high("nobody was woken; expected one of " + sorted(scenario.pages()));
        } else if (!scenario.pages().isEmpty() && woken.stream().noneMatch(scenario.pages()::contains)) {
            high("somebody was woken by " + woken + ", and by none of " + sorted(scenario.pages()));
        }
        woken.stream()
                .filter(name ->
                        !scenario.pages().contains(name) && !scenario.mayPage().contains(name))
                .forEach(name -> medium("somebody was woken by " + name + " too"));
        if (!Pager.isQuiet(seen.alerts())) {
            medium("a page was not over when the game day was");
        }
    }

    private void users() {
        Optional<Duration> out = seen.usersOut();
        if (seen.recoveredAt().isEmpty() || out.isEmpty()) {
            high("users have not all of it again, or nobody was done with the runbook, in time: " + last());
            return;
        }
        if (out.get().compareTo(scenario.usersOutMax()) > 0) {
            high("users were without some of it for " + GameDayReport.seconds(out.get()) + " s, and at most "
                    + scenario.usersOutMax().toSeconds() + " s of it are as the scenario says");
        }
        if (scenario.isOutage() && out.get().isZero()) {
            high("users saw nothing of an outage: it was none, or nobody looked");
        }
        long relapses = seen.samples().stream()
                .filter(sample -> sample.at().isAfter(seen.recoveredAt().get())
                        && !sample.bad().isEmpty())
                .count();
        if (relapses > 0) {
            medium("users had all of it again, and then not for " + relapses + " s");
        }
    }

    private String last() {
        return seen.samples().isEmpty()
                ? "nothing was seen"
                : seen.samples().get(seen.samples().size() - 1).toString();
    }

    private void steps() {
        if (!scenario.pages().isEmpty() && seen.steps().stream().allMatch(Responder.Step::byHand)) {
            high("no command of a runbook was run");
        }
        seen.steps().stream()
                .filter(step -> step.exitCode() != 0)
                .forEach(step -> high("the page of " + step.alert() + " says to run \"" + step.command()
                        + "\", which ended with " + step.exitCode()));
    }

    private void ledger() {
        seen.checks().stream()
                .filter(check -> check.outcome() != DrillCheck.Outcome.PASSED)
                .forEach(check -> high(
                        "check " + check.check().word() + " " + check.outcome().word() + ": " + check.detail()));
        if (seen.lostEvents() > 0) {
            high(seen.lostEvents() + " events that were acknowledged are lost");
        }
        if (!seen.refused().isEmpty()) {
            high(seen.refused().size() + " good events were refused for ever, the first: "
                    + seen.refused().get(0));
        }
    }

    private static String sorted(Set<String> names) {
        return names.stream().sorted().collect(Collectors.joining(" or "));
    }

    private void high(String what) {
        findings.add(new Finding(Severity.HIGH, what));
    }

    private void medium(String what) {
        findings.add(new Finding(Severity.MEDIUM, what));
    }
}
