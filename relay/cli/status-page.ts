import { formatBytes } from '../progress.ts';
import { plain, table } from './table.ts';

type Fields = Record<string, unknown>;

/** More models or relays than this scroll the rest away; `--json` has all. */
const MOST_ROWS = 20;

/** The state of a relay for people. All of it comes from the network, from a relay of any version: nothing is trusted. */
export function statusPage(url: string, health: Fields, network: Fields | null): string {
  const relay = fields(network?.relay);
  const peers = fields(network?.peers);
  const answers = fields(network?.answers);
  const old = fields(health.network);
  const lines: string[][] = [
    ['State', stateOf(health)],
    [
      'Relay',
      [text(relay.peer), text(relay.version), since(relay.uptime_s)].filter(Boolean).join(', ') || '?',
    ],
    ['Peers', `${count(peers.total ?? old.peers)} connected, ${count(peers.hosting)} lending`],
    ['Reachable', `${count(network?.reservations ?? old.reservations)} through this relay`],
    ['Records', count(network?.records ?? old.records)],
    [
      'Answers',
      `${count(answers.running)} running, ${count(answers.waiting)} waiting, ${count(answers.total)} in all`,
    ],
    ['Lending', lendingOf(fields(health.hosting))],
  ];
  if (typeof network?.relayed_bytes === 'number') lines.push(['Relayed', formatBytes(network.relayed_bytes)]);
  const parts = [`${url}\n\n`, table(lines)];
  const models = list(network?.models);
  if (models.length > 0)
    parts.push('\nModels\n', table(models.slice(0, MOST_ROWS).map(modelRow)), more(models));
  const preparing = list(health.preparing);
  if (preparing.length > 0)
    parts.push('\nNot served yet\n', table(preparing.slice(0, MOST_ROWS).map(preparingRow)), more(preparing));
  const relays = list(network?.relays);
  if (relays.length > 0)
    parts.push(
      '\nOther relays\n',
      table(relays.slice(0, MOST_ROWS).map((one) => [text(one.peer) ?? '?', text(one.state) ?? '?'])),
      more(relays),
    );
  if (network === null) parts.push('\nThis relay has no /v1/network, so that is all there is to see.\n');
  return parts.join('');
}

function stateOf(health: Fields): string {
  const state = plain(health.status, 30);
  const memory = text(health.memory) ?? text(fields(health.memory).state);
  return memory && memory !== 'ok' ? `${state}, memory ${memory}` : state;
}

function lendingOf(hosting: Fields): string {
  const slices = list(hosting.slices).slice(0, MOST_ROWS);
  const state = text(hosting.state) ?? 'nothing';
  if (slices.length === 0) return state;
  const ranges = slices.map(
    (slice) =>
      `${text(slice.model)?.slice(-8)} ${count(slice.start)}-${count(slice.end)} (${text(slice.backend) ?? '?'})`,
  );
  return `${state}: ${ranges.join(', ')}`;
}

function modelRow(model: Fields): string[] {
  const coverage = Array.isArray(model.coverage)
    ? model.coverage.filter((one) => typeof one === 'number')
    : [];
  const least = coverage.length > 0 ? Math.min(...coverage.slice(0, 1000)) : null;
  const held =
    least === null
      ? ''
      : least === 0
        ? 'some layers are held by nobody'
        : `every layer is held by ${least} or more`;
  return [text(model.id) ?? '?', `${count(model.layers)} layers`, held];
}

function preparingRow(one: Fields): string[] {
  const { done, total } = one;
  const share =
    typeof done === 'number' && typeof total === 'number' && total > 0
      ? `${Math.floor((done / total) * 100)} %`
      : '';
  return [text(one.model) ?? '?', text(one.stage) ?? '?', share];
}

function more(rows: readonly unknown[]): string {
  return rows.length > MOST_ROWS ? `  … and ${rows.length - MOST_ROWS} more\n` : '';
}

function since(seconds: unknown): string | undefined {
  if (typeof seconds !== 'number' || !(seconds >= 0)) return;
  const hours = seconds / 3600;
  const [number, unit] = hours < 1 ? [seconds / 60, 'min'] : hours < 48 ? [hours, 'h'] : [hours / 24, 'days'];
  return `up ${Math.floor(number)} ${unit}`;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? plain(value) : undefined;
}

function count(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? `${value}` : '?';
}
