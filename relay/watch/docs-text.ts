import { BUCKETS } from './meters.ts';
import { METRICS } from './metric-table.ts';

const KINDS = {
  counter: 'counter',
  'read-counter': 'counter, from 0 at a restart',
  gauge: 'gauge',
  histogram: 'histogram',
} as const;

/** The whole of docs/metrics.md. */
export function metricsDocument(): string {
  const rows = Object.entries(METRICS).map(([name, { kind, labels, help }]) => {
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${KINDS[kind]} | ${names} | ${help} |`;
  });
  return `# Metrics

<!-- Written by \`npx tsx relay/watch/write-docs.ts\` from relay/watch/metric-table.ts. -->

A relay tells its numbers at \`/metrics\` in Prometheus’ text format, to whoever asks: there is no name of a peer, no
address and no text in them. What a person wants to see is at \`/status\`, and the same as JSON at \`/v1/network\`.

| metric | kind | labels | what it says |
| --- | --- | --- | --- |
${rows.join('\n')}

- Counters are kept over a restart in \`counters.json\` in the data folder, written every five seconds and at the end:
  a crash loses five seconds of counting. Those marked “from 0 at a restart” are not kept; Prometheus’ \`rate\` and
  \`increase\` know what to do with that.
- Histograms are in seconds and have the buckets ${BUCKETS.join(', ')}.
- A metric has at most 100 sets of labels. What comes after these is counted as \`other\`.
- The text is made at most once a second, however many ask.

## Prometheus

\`\`\`yaml
scrape_configs:
  - job_name: shoal
    scrape_interval: 15s
    scheme: https
    static_configs:
      - targets: ['shoal.example.org']
\`\`\`

## Alerts

\`\`\`yaml
${ALERTS}\`\`\`

## What else there is to see

| path | what | while the relay drains |
| --- | --- | --- |
| \`/healthz\` | JSON for a load balancer: \`status\` is \`ok\` or \`draining\` | 503 |
| \`/status\` | a page for people, without scripts; loads itself again every five seconds, \`?still\` does not | answers |
| \`/v1/network\` | the state of the network as JSON | answers |
| \`/v1/network/live\` | the same as server-sent events: \`state\` first, then \`change\` with the parts that changed, once a second at most | ends |

These are made once a second, whoever asks, so they also answer when everything else is busy. When a part of the relay
hangs, the status page says since when there is no answer, and shows what was seen last. Peers are named by the last
eight characters of their id, and no address is told.

## The state of the network

\`/v1/network\` is one object, and \`/v1/network/live\` begins with it. Each \`change\` has the parts that changed, to be put
over the state by \`Object.assign\`. A list of more than 16 KB of which less than half changed comes as a difference
instead, in \`lists\`: \`{"links": {"put": [...], "gone": ["from to"]}}\`, where \`put\` are items that are new or different,
and \`gone\` the keys of those that are not there any more (\`peer\` of \`hosts\`, the id itself of \`clients\`, both ends of
\`links\` with a space between them).

| part | what |
| --- | --- |
| \`at\`, \`relay\` | when it was seen; this relay: its own peer id, version, uptime, \`url\`, \`draining\` |
| \`models\` | \`id\`, \`cid\`, \`name\`, \`layers\`, \`coverage\` (hosts per layer), \`holders\`, \`client_layers\` (the first layers, which who asks runs itself) |
| \`peers\` | how many are connected (\`total\`), lend (\`hosting\`), and exchange frames with this relay, \`by_path\` |
| \`hosts\` | who lends, at most 500: \`peer\`, \`self\`, \`layers\`, \`exact\`, \`path\`, \`round_trip_ms\`, \`sessions\` |
| \`clients\` | peers that lend nothing, at most 500 |
| \`links\` | who is linked to whom, at most 2,000: \`from\`, \`to\`, \`path\` (\`direct\`, \`relayed\`, \`websocket\`, \`tcp\`), \`round_trip_ms\`. This relay's own connections, and what hosts tell of theirs when they are asked, every five seconds or so |
| \`relays\`, \`reservations\`, \`records\` | relays that this one is joined with; places for peers behind routers; records of the DHT |
| \`answers\`, \`relayed_bytes\`, \`recent\` | answers of the API; bytes that passed between two peers; what happened lately |

Round trips are told again when they move by more than 5 ms and a quarter.
`;
}

const ALERTS = `groups:
  - name: shoal
    rules:
      - alert: ShoalRelayGone
        expr: up{job="shoal"} == 0
        for: 2m
        annotations:
          summary: The relay does not answer. Tabs cannot find each other through it.
      - alert: ShoalAnswersFail
        expr: >
          sum by (instance) (rate(shoal_api_requests_total{end="failed"}[10m]))
          > 0.05 * sum by (instance) (rate(shoal_api_requests_total[10m]))
        for: 10m
        annotations:
          summary: More than one API request in twenty fails. shoal_errors_total says in which room.
      - alert: ShoalQueueLong
        expr: histogram_quantile(0.9, sum by (instance, le) (rate(shoal_queue_seconds_bucket[10m]))) > 20
        for: 10m
        annotations:
          summary: One request in ten waits longer than 20 s. Lend more layers, or allow fewer clients.
      - alert: ShoalMemoryTight
        expr: >
          shoal_memory_bytes{kind="resident"}
          > on (instance) (0.9 * shoal_memory_bytes{kind="limit"})
        for: 5m
        annotations:
          summary: The relay is close to the memory at which it refuses work.
      - alert: ShoalLoopBlocked
        expr: shoal_loop_delay_seconds > 0.5
        for: 5m
        annotations:
          summary: Timers fire half a second late. Everybody who passes through this relay feels it.
`;
