/**
 * Every metric of the relay. Names, labels and buckets follow the customs of Prometheus; docs/metrics.md is made from
 * this table, and a test keeps it so. `counter`s are kept over a restart.
 */
export const METRICS = {
  shoal_http_requests_total: {
    kind: 'counter',
    help: 'HTTP requests answered, by what they were for and the class of the status.',
    labels: ['route', 'status'],
  },
  shoal_refused_total: {
    kind: 'counter',
    help: 'What was refused to hold the relay up: connections, requests, sessions, by reason.',
    labels: ['reason'],
  },
  shoal_errors_total: {
    kind: 'counter',
    help: 'Errors, by the room and the code of the error.',
    labels: ['room', 'code'],
  },
  shoal_api_requests_total: {
    kind: 'counter',
    help: 'API requests, by endpoint and how they ended (ok, refused, failed, cancelled).',
    labels: ['endpoint', 'end'],
  },
  shoal_api_tokens_total: {
    kind: 'counter',
    help: 'Tokens of API requests: prompt, cached (part of prompt, not computed again), completion.',
    labels: ['kind'],
  },
  shoal_answers_total: {
    kind: 'counter',
    help: 'Answers given, by the route they took.',
    labels: ['route'],
  },
  shoal_recoveries_total: {
    kind: 'counter',
    help: 'Hops lost and replaced in the middle of an answer.',
    labels: [],
  },
  shoal_cancelled_total: {
    kind: 'counter',
    help: 'Answers that the client hung up on, by where they were: queue, prefill, decode.',
    labels: ['stage'],
  },
  shoal_queue_seconds: {
    kind: 'histogram',
    help: 'Time that an API request waited for its turn.',
    labels: [],
  },
  shoal_first_token_seconds: {
    kind: 'histogram',
    help: 'From the start of an answer (after the queue) to its first token, by route.',
    labels: ['route'],
  },
  shoal_step_seconds: {
    kind: 'histogram',
    help: 'One token after the first of an answer, all hops and wires included, by route.',
    labels: ['route'],
  },
  shoal_hop_seconds: {
    kind: 'histogram',
    help: 'One step at one hop, as the hop reports it, by the path of its link.',
    labels: ['path'],
  },
  shoal_http_seconds: {
    kind: 'histogram',
    help: 'HTTP requests, from the request to the last byte, by what they were for; streams excluded.',
    labels: ['route'],
  },
  shoal_answers_running: { kind: 'gauge', help: 'Answers being given now.', labels: [] },
  shoal_queue_length: { kind: 'gauge', help: 'API requests that wait for their turn.', labels: [] },
  shoal_host_sessions: { kind: 'gauge', help: 'Sessions open on the slices lent here.', labels: [] },
  shoal_host_free_tokens: {
    kind: 'gauge',
    help: 'Tokens of conversation for which the lent slices have room, by model.',
    labels: ['model'],
  },
  shoal_host_opened_total: { kind: 'read-counter', help: 'Sessions opened at the host.', labels: [] },
  shoal_host_refused_total: { kind: 'read-counter', help: 'Sessions refused by the host.', labels: [] },
  shoal_host_failed_total: { kind: 'read-counter', help: 'Sessions ended by an error.', labels: [] },
  shoal_host_positions_total: {
    kind: 'read-counter',
    help: 'Positions computed by the host: prefill, decode, and those of both that were replays.',
    labels: ['kind'],
  },
  shoal_host_compute_seconds_total: {
    kind: 'read-counter',
    help: 'Time in the engines of the host.',
    labels: [],
  },
  shoal_host_shared_runs_total: {
    kind: 'read-counter',
    help: 'Runs of an engine that served more than one session.',
    labels: [],
  },
  shoal_host_bytes_total: {
    kind: 'read-counter',
    help: 'Bytes of frames at the host.',
    labels: ['direction'],
  },
  shoal_peers: { kind: 'gauge', help: 'Peers connected.', labels: [] },
  shoal_links: {
    kind: 'gauge',
    help: 'Peers that exchange frames with the relay, by path.',
    labels: ['path'],
  },
  shoal_reservations: { kind: 'gauge', help: 'Peers that can be reached through this relay.', labels: [] },
  shoal_dht_records: { kind: 'gauge', help: 'Provider records kept here.', labels: [] },
  shoal_relays_joined: { kind: 'gauge', help: 'Other relays that this one is connected to.', labels: [] },
  shoal_relayed_bytes_total: {
    kind: 'read-counter',
    help: 'Bytes that passed between two peers through this relay.',
    labels: [],
  },
  shoal_models: { kind: 'gauge', help: 'Models served.', labels: [] },
  shoal_memory_bytes: {
    kind: 'gauge',
    help: 'Memory: resident, and the limit above which work is refused.',
    labels: ['kind'],
  },
  shoal_loop_delay_seconds: {
    kind: 'gauge',
    help: 'Delay of the event loop, 99th percentile of the last interval.',
    labels: [],
  },
  shoal_draining: {
    kind: 'gauge',
    help: '1 while the relay finishes what runs and takes nothing new.',
    labels: [],
  },
  shoal_start_time_seconds: {
    kind: 'gauge',
    help: 'When the relay started, in seconds since 1970.',
    labels: [],
  },
  shoal_info: {
    kind: 'gauge',
    help: 'Always 1; the labels tell version and back end.',
    labels: ['version', 'backend'],
  },
} as const satisfies Record<string, Metric>;

/** `read-counter`: counted by another room and read when asked; begins anew at a restart. */
export interface Metric {
  kind: 'counter' | 'read-counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
}

export type MetricName = keyof typeof METRICS;
type NamesOf<K extends Metric['kind']> = {
  [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never;
}[MetricName];
export type CounterName = NamesOf<'counter'>;
export type HistogramName = NamesOf<'histogram'>;
export type GaugeName = NamesOf<'gauge' | 'read-counter'>;
export type LabelsOf<N extends MetricName> = Record<(typeof METRICS)[N]['labels'][number], string>;
