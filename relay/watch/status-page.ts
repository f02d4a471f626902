import { FRONT_LAYERS } from '../../src/swarm/index.ts';
import { formatBytes } from '../progress.ts';
import { coverageBar, coverageWords } from './coverage.ts';
import { Html, html } from './html.ts';
import type { HostState, ModelState, NetworkState } from './network-state.ts';
import type { RecentEvent } from './recent.ts';
import { STATUS_STYLE } from './status-style.ts';

/** A state older than this is said to be old: the look is made every second. Milliseconds. */
const OLD_MS = 3_000;
/** Seconds between two loads of the page. */
const REFRESH = 5;
/** Rows of hosts; the JSON has all. */
const MOST_ROWS = 100;

export interface StatusView {
  /** Null before the first look. */
  state: NetworkState | null;
  now: Date;
  /** Since when there is something to look at. */
  begun: Date;
  /** Loads itself again every five seconds. */
  refreshes: boolean;
}

/** The status page: one document without scripts, pictures or requests. */
export function renderStatus({ state, now, begun, refreshes }: StatusView): string {
  const seen = state ? new Date(state.at) : begun;
  const old = now.getTime() - seen.getTime() > OLD_MS;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refreshes ? html`<meta http-equiv="refresh" content="${REFRESH}">` : null}
<title>Status of this Shoal relay</title>
<style>${new Html(STATUS_STYLE)}</style>
</head>
<body>
<header>
<h1>Shoal relay</h1>
<p class="soft">At ${clockTime(now)}. ${
    refreshes
      ? html`Loads again every ${REFRESH} seconds: <a href="?still">keep it still</a>.`
      : html`<a href="?">Load it again every ${REFRESH} seconds</a>.`
  }</p>
${old ? html`<p class="alert" role="alert">No answer from the relay’s rooms since ${clockTime(seen)}${state ? '; below is what was seen then' : ''}.</p>` : null}
${state?.relay.draining ? html`<p class="alert" role="alert">This relay is about to stop: what runs is finished, nothing new is taken.</p>` : null}
</header>
<main>
${state ? body(state) : html`<p>The relay is starting.</p>`}
</main>
</body>
</html>
`;
  return page.text;
}

function body(state: NetworkState): Html {
  const { relay, answers, peers, models, hosts, relays, recent } = state;
  return html`${facts([
    ['Version', relay.version],
    ['Up for', duration(relay.uptime_s)],
    ['Peers', peers.total],
    ['Lending layers', peers.hosting],
    ['Answers now', `${answers.running}${answers.waiting > 0 ? `, ${answers.waiting} waiting` : ''}`],
    ['Answers today', answers.today],
    ['Answers in all', answers.total],
    ['Tokens in all', answers.tokens_total],
    ['Passed on', formatBytes(state.relayed_bytes)],
    ['Reservations', state.reservations],
    ['Records kept', state.records],
  ])}
<h2>Models</h2>
${models.length === 0 ? html`<p>None is served yet.</p>` : models.map(model)}
<h2>Hosts</h2>
${hosts.length === 0 ? html`<p>Nobody lends layers now.</p>` : hostTable(hosts, peers.hosting, models)}
<h2>Links</h2>
${countTable('Path', 'Peers', Object.entries(peers.by_path), 'No peer exchanges frames with this relay now.')}
<h2>Joined relays</h2>
${
  relays.length === 0
    ? html`<p>None.</p>`
    : table(
        ['Relay', 'State'],
        relays.map(({ peer, state: how }) => [peer, how]),
      )
}
<h2>Lately</h2>
${
  recent.length === 0
    ? html`<p>Nothing yet.</p>`
    : table(
        ['Time', 'What', 'Times'],
        recent.map((event) => [clockTime(new Date(event.at)), eventWords(event), event.count]),
      )
}
<p class="soft">The same as JSON: <a href="/v1/network">/v1/network</a>. Numbers for Prometheus: <a href="/metrics">/metrics</a>.</p>`;
}

function model({ name, cid, layers, coverage, holders }: ModelState): Html {
  const missing = coverage.slice(FRONT_LAYERS).filter((count) => count === 0).length;
  const whole =
    missing === 0
      ? 'Every layer that a tab needs is there.'
      : `${missing} ${missing === 1 ? 'layer is' : 'layers are'} missing.`;
  return html`<section>
<h3>${name}</h3>
<p class="soft">${layers} layers, ${holders} ${holders === 1 ? 'host' : 'hosts'}, ${cid.slice(-8)}</p>
${coverageBar(coverage)}
<p>${whole} ${coverageWords(coverage)}</p>
</section>
`;
}

function hostTable(hosts: readonly HostState[], total: number, models: readonly ModelState[]): Html {
  const names = new Map(models.map(({ cid, name }) => [cid, name]));
  const rows = hosts
    .slice(0, MOST_ROWS)
    .map((host) => [
      host.self ? `${host.peer} (this relay)` : host.peer,
      host.layers
        .map(
          ({ cid, start, end }) =>
            `${names.get(cid) ?? cid.slice(-8)} ${start}–${end - 1}${host.exact ? '' : ' at most'}`,
        )
        .join('; '),
      host.path,
      host.round_trip_ms === null ? '–' : `${host.round_trip_ms} ms`,
      host.sessions ?? '–',
    ]);
  const more = total - rows.length;
  return html`${table(['Peer', 'Layers', 'Path', 'Round trip', 'Sessions'], rows)}
${more > 0 ? html`<p>And ${more} more.</p>` : null}`;
}

function countTable(
  what: string,
  how: string,
  counts: readonly (readonly [string, number])[],
  none: string,
): Html {
  return counts.length === 0 ? html`<p>${none}</p>` : table([what, how], counts);
}

function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): Html {
  return html`<div class="wide" role="region" tabindex="0" aria-label="${heads.join(', ')}"><table>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>\n`)}</tbody>
</table></div>`;
}

function facts(entries: readonly (readonly [string, string | number])[]): Html {
  return html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

const EVENT_WORDS: Record<RecentEvent['kind'], string> = {
  started: 'Started',
  joined: 'Peers came',
  left: 'Peers left',
  recovered: 'Hops lost and replaced',
  refused: 'Refused',
  error: 'Error',
  draining: 'About to stop',
};

function eventWords({ kind, code }: RecentEvent): string {
  return code === null ? EVENT_WORDS[kind] : `${EVENT_WORDS[kind]}: ${code}`;
}

function clockTime(date: Date): string {
  return `${date.toISOString().slice(11, 19)} UTC`;
}

function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3_600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}
