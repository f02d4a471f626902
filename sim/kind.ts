const KINDS = [
  'hello',
  'session_init',
  'session_ack',
  'forward_hidden',
  'token',
  'heartbeat',
  'abort_session',
] as const;
export type Kind = (typeof KINDS)[number];
export { KINDS };

const MARK = [0x64, 0x6b, 0x69, 0x6e, 0x64];
const BY_LENGTH = new Map<number, Map<number, string>>();
for (const kind of KINDS) {
  const same = BY_LENGTH.get(kind.length) ?? new Map<number, string>();
  same.set(kind.charCodeAt(kind.length - 1), kind);
  BY_LENGTH.set(kind.length, same);
}

/** The `kind` of a framed message, read without decoding it: the map's text key, then a short text. `?` when unknown. */
export function kindOf(frame: Uint8Array): string {
  const last = Math.min(frame.length - 6, 64);
  search: for (let at = 4; at < last; at++) {
    for (let i = 0; i < MARK.length; i++) if (frame[at + i] !== MARK[i]) continue search;
    const length = frame[at + 5]! - 0x60;
    const end = frame[at + 5 + length];
    return BY_LENGTH.get(length)?.get(end ?? 0) ?? '?';
  }
  return '?';
}
