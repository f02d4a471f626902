import { decodeItem } from '../../wire/codec.ts';
import type { Tabs } from './tabs.ts';

/** One message that left a tab. */
export interface Sent {
  from: string;
  to: string;
  /** The bytes, without their length. */
  body: Buffer;
  /** As they are on the wire, whether anybody reads them or not. */
  fields: Record<string, unknown> & { kind: string };
}

export interface Asked {
  peer: string;
  call: string;
  given: readonly unknown[];
}

/** Everything that tabs send each other and ask of the directory, from now on. What a tab sends to itself stays in it. */
export class Recorder {
  sent: Sent[] = [];
  asked: Asked[] = [];

  constructor({ network }: Tabs) {
    network.tap = (from, to, bytes) => {
      const body = Buffer.from(bytes);
      const fields = decodeItem(Uint8Array.from(body)) as Sent['fields'];
      if (from !== to) this.sent.push({ from, to, body, fields });
      return true;
    };
    network.asked = (peer, call, given) => this.asked.push({ peer, call, given });
  }

  /** Messages of one kind that a tab sent, in order. */
  of(from: string, kind: string): Sent[] {
    return this.sent.filter((one) => one.from === from && one.fields.kind === kind);
  }

  /** All that a tab sent, one message after the other. */
  bytes(from: string): Buffer {
    return Buffer.concat(this.sent.filter((one) => one.from === from).map(({ body }) => body));
  }

  clear(): void {
    this.sent = [];
    this.asked = [];
  }
}

/** Names of all fields, those within others as `outer.inner`, each once. */
export function namesOf(value: unknown, within = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((one) => namesOf(one, within)))];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array)
    return within ? [within] : [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = within ? `${within}.${name}` : name;
    const names = namesOf(inner, path);
    return names.length > 0 ? names : [path];
  });
}
