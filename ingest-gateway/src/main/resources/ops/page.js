// SPDX-License-Identifier: Apache-2.0
// Draws /ops.json. Whatever others wrote gets into the page as text alone: there is no way here from a string to markup.
'use strict';

const EVERY_MILLIS = 5000;
const TIMEOUT_MILLIS = 8000;
/** In the banner; in a storm the worst are enough. */
const MAX_REASONS = 8;
/** A gateway that does not answer any more is believed this long. */
const STALE_UNANSWERED_SECONDS = 15;
/** Looks at the clock this often, so that a page nobody feeds any more says so by itself. */
const TICK_MILLIS = 1000;

const WORDS = { good: 'All is well', unknown: 'Not known', attention: 'Needs attention', critical: 'Act now' };
const SIGNS = { good: '✓', unknown: '?', attention: '!', critical: '✕' };
const SHORT = { good: 'good', unknown: 'unknown', attention: 'attention', critical: 'critical' };
const PART_NAMES = {
  slos: 'Objectives', alerts: 'Alerts', stages: 'Stages', lag: 'Lag', checkpoints: 'Checkpoints',
  evidence: 'Evidence', gateway: 'Gateway',
};

/** Newest answer, and when it came by the browser's monotonic clock: no clocks of two machines are compared. */
let report = null;
let reportMillis = 0;
let problem = '';

const byId = (id) => document.getElementById(id);

/** An element with children, which are elements or text. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    element.setAttribute(name, value);
  }
  for (const child of children) {
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

function stateOf(anything) {
  return Object.hasOwn(WORDS, anything) ? anything : 'unknown';
}

function badge(state, text, sign) {
  const known = stateOf(state);
  const shown = make('span', { 'aria-hidden': 'true' }, (sign || SIGNS[known]) + ' ');
  return make('span', { class: 'badge ' + known }, shown, text || SHORT[known]);
}

/** Only to ourselves or to the web; anything else stays text. */
function link(target, text) {
  let url = null;
  try {
    url = new URL(target, location.href);
  } catch (e) {
    url = null;
  }
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return document.createTextNode(text);
  }
  const outside = url.origin !== location.origin;
  return make('a', outside ? { href: url.href, rel: 'noopener noreferrer' } : { href: url.href }, text);
}

const whole = new Intl.NumberFormat('en');
const isKnown = (value) => typeof value === 'number';

function count(value) {
  return isKnown(value) ? whole.format(Math.round(value)) : 'unknown';
}

function duration(seconds) {
  if (!isKnown(seconds)) {
    return typeof seconds === 'string' ? seconds : 'unknown';
  }
  const s = Math.round(seconds);
  if (s < 10) {
    return (Math.round(seconds * 10) / 10) + ' s';
  }
  if (s < 120) {
    return s + ' s';
  }
  if (s < 7200) {
    return Math.floor(s / 60) + ' min ' + (s % 60 === 0 ? '' : (s % 60) + ' s');
  }
  if (s < 172800) {
    return Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
  }
  return Math.floor(s / 86400) + ' d ' + Math.floor(s % 86400 / 3600) + ' h';
}

function budget(ratio) {
  if (!isKnown(ratio)) {
    return 'unknown';
  }
  return ratio > -1 ? (ratio * 100).toFixed(1) + ' %' : 'spent ' + count(1 - ratio) + ' ×';
}

/** A cell of numbers; what does not apply is a dash for the eye and words for the ear. */
function number(text) {
  if (text === undefined) {
    return make('td', { class: 'number quiet' }, make('span', { 'aria-hidden': 'true' }, '–'),
        make('span', { class: 'hidden' }, 'does not apply'));
  }
  return make('td', { class: text === 'unknown' ? 'number quiet' : 'number' }, text);
}

function table(caption, heads, rows, none) {
  if (rows.length === 0) {
    return make('p', { class: 'quiet' }, none);
  }
  const names = heads.map((head) => head.startsWith('#') ? head.slice(1) : head);
  const headCells = heads.map((head, i) => make('th', {
    scope: 'col', role: 'columnheader', ...(head.startsWith('#') ? { class: 'number' } : {}),
  }, names[i]));
  for (const row of rows) {
    row.setAttribute('role', 'row');
    [...row.children].forEach((cell, i) => {
      cell.setAttribute('role', i === 0 ? 'rowheader' : 'cell');
      cell.dataset.name = names[i];
    });
  }
  const made = make('table', { role: 'table' },
      make('caption', { class: 'hidden' }, caption),
      make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...headCells)),
      make('tbody', { role: 'rowgroup' }, ...rows));
  return make('div', { class: 'scroll', role: 'region', 'aria-label': caption }, made);
}

/** What is wider than its place is scrolled, so the keyboard must reach it; what is not is no stop for it. */
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) {
      target.setAttribute('tabindex', '0');
    } else {
      target.removeAttribute('tabindex');
    }
  }
});

/** A link of which the eye sees one word, where the ear hears of what. */
function linkOf(target, word, name) {
  const made = link(target, word);
  if (made instanceof Element) {
    made.append(make('span', { class: 'hidden' }, ' of ' + name));
  }
  return made;
}

function rowHead(text, small) {
  return make('th', { scope: 'row' }, text, ...(small ? [make('small', {}, small)] : []));
}

function tick(result) {
  const words = { verified: ['good', 'verified'], failed: ['critical', 'failed'] };
  const [state, word] = words[result] || ['unknown', 'unknown'];
  return make('td', {}, badge(state, word));
}

function alerts(part) {
  const rows = part.alerts.map((alert) => {
    const labels = Object.entries(alert.labels).map(([name, value]) => name + '=' + value).join(', ');
    const fires = alert.state === 'firing';
    const state = !fires ? 'unknown' : alert.severity === 'page' ? 'critical' : 'attention';
    return make('tr', {},
        rowHead(alert.name, labels),
        make('td', {}, badge(state, alert.state + ', ' + alert.severity, fires ? '' : '…')),
        make('td', { class: 'wide' }, alert.summary),
        number(sinceOf(alert.since)),
        make('td', {}, alert.runbook ? linkOf(alert.runbook, 'Runbook', alert.name) : 'none'));
  });
  const none = part.state === 'unknown' ? 'Not known: ' + part.findings.join('; ') : 'None of ' + part.rules + ' rules is pending or firing.';
  return [table('Alerts that are pending or firing', ['Alert', 'State', 'What', '#For', 'Runbook'], rows, none)];
}

/** By the clock of the machine that made the report. */
function sinceOf(time) {
  const seconds = (Date.parse(report.time) - Date.parse(time)) / 1000;
  return Number.isFinite(seconds) ? duration(Math.max(0, seconds)) : 'unknown';
}

function slos(part) {
  const tiles = part.objectives.map((slo) => {
    const values = make('dl', {});
    const value = (name, text, mark) =>
      values.append(make('dt', {}, name), make('dd', mark ? { class: mark } : {}, text));
    const tile = make('li', { class: 'tile', 'data-state': stateOf(slo.state) },
        make('h3', {}, slo.displayName),
        make('p', { class: 'target' }, slo.name + ' · ' + target(slo) + ' · ' + slo.windowDays + ' d'),
        values);
    value('State', badge(slo.state));
    if (slo.occurrences !== undefined) {
      value('Happened', count(slo.occurrences), isKnown(slo.occurrences) ? '' : 'quiet');
      return tile;
    }
    value('Budget left', budget(slo.budgetRemaining), isKnown(slo.budgetRemaining) ? '' : 'quiet');
    value('Burn rate', isKnown(slo.burnRate) ? slo.burnRate.toFixed(1) + ' ×' : 'unknown', isKnown(slo.burnRate) ? '' : 'quiet');
    if (isKnown(slo.budgetRemaining)) {
      tile.append(make('meter', {
        min: '0', max: '1', value: String(Math.min(1, Math.max(0, slo.budgetRemaining))), 'aria-label': 'Budget left of ' + slo.name,
      }));
    }
    return tile;
  });
  return [make('ul', { class: 'tiles' }, ...tiles)];
}

function target(slo) {
  return slo.objective === 1 ? 'never' : (Math.round(slo.objective * 1e5) / 1e3) + ' %';
}

function stages(part) {
  const optional = (row, name, show) => number(row[name] === undefined ? undefined : show(row[name]));
  const rows = part.stages.map((row) => make('tr', {},
      rowHead(row.stage, row.what),
      make('td', {}, badge(row.state)),
      optional(row, 'count', (value) => isKnown(value) ? count(value) + ' ' + row.unit : 'unknown'),
      optional(row, 'waiting', count),
      optional(row, 'ageSeconds', duration)));
  return [
    table('Stages from the door to the auditor', ['Stage', 'State', '#Through', '#Waiting', '#Age'], rows, 'Not known.'),
    make('p', { class: 'note' }, 'Attention above ' + duration(part.maxSeconds) + '.'),
  ];
}

function lag(part) {
  const rows = part.groups.map((group) => make('tr', {},
      rowHead(group.group, group.groupState + ', ' + group.members + (group.members === 1 ? ' member' : ' members')
          + (group.worst ? ', worst ' + group.worst : '') + (group.ours ? '' : ', not of the ledger')
          + (group.otherGeneration ? ', of another generation' : '')),
      make('td', {}, badge(group.state)),
      number(count(group.records)),
      number(duration(group.seconds)),
      number(duration(group.drainSeconds))));
  const none = part.state === 'unknown' ? 'Not known: ' + part.findings.join('; ') : 'No group has committed an offset.';
  const made = [table('Consumer groups', ['Group', 'State', '#Records', '#Behind', '#Drains in'], rows, none)];
  if (part.omitted > 0) {
    made.push(make('p', { class: 'note' }, part.omitted + ' more groups are less far behind.'));
  }
  if (part.groupsLeftOut > 0) {
    made.push(make('p', { class: 'note' },
        'Left out, beyond 1,000 or with neither members nor offsets: ' + part.groupsLeftOut + ' groups.'));
  }
  return made;
}

function checkpoints(part) {
  const rows = part.checkpoints.map((row) => make('tr', {},
      rowHead('Epoch ' + row.epoch, row.reason),
      number(duration(row.ageSeconds)),
      number(count(row.leaves)),
      tick(row.signature), tick(row.contents), tick(row.consistency),
      make('td', {}, make('code', {}, row.root.slice(0, 8) + (row.root.length > 8 ? '…' : '')))));
  const none = 'Not known: ' + part.findings.join('; ');
  const made = [table('Last checkpoints, verified by this gateway',
      ['Checkpoint', '#Age', '#Leaves', 'Signature', 'Contents', 'Consistency', 'Root'], rows, none)];
  if (part.watch.sinceEpoch !== undefined) {
    const state = part.watch.state === 'verified' ? 'good' : part.watch.state === 'failed' ? 'critical' : 'unknown';
    made.push(make('p', { class: 'note' }, badge(state, part.watch.state),
        ' only grew since epoch ' + part.watch.sinceEpoch + ', which this gateway saw first.'));
  }
  return made;
}

function evidence(part) {
  const rows = part.runs.map((run) => make('tr', {},
      rowHead(run.name, { drill: 'restore drill', 'game-day': 'game day', fsck: 'fsck' }[run.kind]),
      make('td', {}, badge(run.passed ? 'good' : 'attention', run.passed ? 'passed' : 'failed')),
      number(duration(run.ageSeconds)),
      number(duration(run.recoverySeconds)),
      number(count(run.lostEvents)),
      make('td', {}, linkOf(run.evidence, 'Evidence', run.name))));
  const scrubs = part.scrubs.map((scrub) => make('tr', {},
      rowHead(scrub.part, scrub.instance),
      make('td', {}, badge(isKnown(scrub.found) ? scrub.found > 0 ? 'critical' : 'good' : 'unknown',
          isKnown(scrub.found) ? scrub.found > 0 ? count(scrub.found) + ' damaged' : 'sound' : 'not yet scrubbed')),
      number(duration(scrub.ageSeconds))));
  const made = [table('Last drills, game days and fsck', ['Last run', 'Result', '#Ago', '#Recovery', '#Lost', 'Evidence'], rows,
      'Drills, game days and fsck: not known.')];
  if (part.runs.length > 0) {
    made.push(make('p', { class: 'note' }, 'As recorded; signatures of drills are verified by ', make('code', {}, 'attestream drill history'), '.'));
  }
  made.push(table('Scrubs of what is stored', ['Scrubbed', 'Result', '#Ago'], scrubs, 'Scrubs: not known.'));
  return made;
}

function gateway(part) {
  const rows = [['Ledger', part.ledger], ['Events in flight', count(part.inFlightEvents)]];
  Object.entries(part.events).forEach(([name, value]) => rows.push(['Answered ' + name, count(value)]));
  Object.entries(part.problems).filter(([, value]) => value > 0)
      .forEach(([name, value]) => rows.push(['Refused: ' + name.replaceAll('_', ' '), count(value)]));
  return [table('Since this gateway began', ['Since it began', '#Value'],
      rows.map(([name, text]) => make('tr', {}, rowHead(name), number(text))), '')];
}

function runbooks(list) {
  return make('ul', { class: 'links' }, ...list.map((page) => make('li', {}, link(page.link, page.name))));
}

const DRAW = { alerts, slos, stages, lag, checkpoints, evidence, gateway };

/**
 * Makes these the children, and keeps every element that can stay: where the keyboard is, what is scrolled and what is being read
 * aloud does not change because a number did.
 */
function settle(parent, nodes) {
  const olds = [...parent.childNodes];
  nodes.forEach((node, i) => {
    const old = olds[i];
    if (old === undefined) {
      parent.append(node);
    } else if (old.nodeName !== node.nodeName) {
      old.replaceWith(node);
    } else if (old instanceof Element) {
      settleAttributes(old, node);
      settle(old, [...node.childNodes]);
    } else if (old.data !== node.data) {
      old.data = node.data;
    }
  });
  olds.slice(nodes.length).forEach((old) => old.remove());
}

function settleAttributes(old, node) {
  for (const { name } of [...old.attributes]) {
    // Whether it is scrolled is found out below.
    if (name !== 'tabindex' && !node.hasAttribute(name)) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of node.attributes) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
}

function drawParts() {
  byId('ledger').textContent = report.ledger;
  for (const [name, draw] of Object.entries(DRAW)) {
    const section = byId(name);
    const part = report[name];
    settle(section.querySelector('.content'), draw(part));
    settle(section.querySelector('.state'), [badge(part.state)]);
  }
  settle(byId('runbooks').querySelector('.content'), [runbooks(report.runbooks)]);
  document.querySelectorAll('.scroll').forEach((table) => sizes.observe(table));
}

function setText(element, text) {
  // An unchanged live region is not read again.
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function drawVerdict(state, word, why, reasons) {
  byId('verdict').dataset.state = state;
  setText(byId('verdict-word'), SIGNS[state] + ' ' + word);
  setText(byId('verdict-why'), why);
  document.title = SIGNS[state] + ' ' + word + ' · Attestream';
  const items = reasons.slice(0, MAX_REASONS).map((reason) => make('li', {},
      badge(reason.state), ' ', link('#' + reason.part, PART_NAMES[reason.part] || reason.part), ': ' + reason.text));
  if (reasons.length > MAX_REASONS) {
    items.push(make('li', { class: 'quiet' }, (reasons.length - MAX_REASONS) + ' more; the parts below have them.'));
  }
  settle(byId('reasons'), items);
}

/** What the eye meets first, from what is known now. Runs by the clock too, so that it turns stale without an answer. */
function drawNow() {
  const age = byId('age');
  if (report === null) {
    setText(age, problem === '' ? 'no data yet' : 'no data: ' + problem);
    age.classList.toggle('stale', problem !== '');
    drawVerdict('unknown', WORDS.unknown, problem === '' ? 'Nothing was read yet.' : 'The gateway does not answer.', []);
    return;
  }
  const seconds = report.ageSeconds + (performance.now() - reportMillis) / 1000;
  const stale = seconds > (problem === '' ? report.staleAfterSeconds : Math.min(report.staleAfterSeconds, STALE_UNANSWERED_SECONDS));
  setText(age, (stale ? 'stale: ' : '') + 'data ' + duration(Math.floor(seconds)) + ' old' + (problem === '' ? '' : ', ' + problem));
  age.classList.toggle('stale', stale || problem !== '');
  if (stale) {
    drawVerdict('unknown', 'Stale: not known', 'What is below was so some time ago, and nothing is known of now.', []);
    return;
  }
  const state = stateOf(report.verdict.state);
  const reasons = report.verdict.reasons;
  drawVerdict(state, WORDS[state], reasons.length === 0 ? 'Every part is known and good.' : reasons.length
      + (reasons.length === 1 ? ' reason:' : ' reasons, the worst first:'), reasons);
}

async function refresh() {
  try {
    const answer = await fetch('/ops.json', { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MILLIS) });
    if (!answer.ok) {
      throw new Error('status ' + answer.status);
    }
    const read = await answer.json();
    const before = report;
    report = read;
    try {
      drawParts();
    } catch (e) {
      // Half drawn parts of another time would lie.
      report = before;
      throw new Error('the answer is not understood');
    }
    reportMillis = performance.now();
    problem = '';
  } catch (e) {
    problem = e.name === 'TimeoutError' ? 'no answer within ' + TIMEOUT_MILLIS / 1000 + ' s'
      : e.name === 'TypeError' ? 'the gateway does not answer' : e.message;
  }
  drawNow();
  setTimeout(refresh, EVERY_MILLIS);
}

setInterval(drawNow, TICK_MILLIS);
refresh();
