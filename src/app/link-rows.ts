import type { LinkSnapshot, NetworkSnapshot } from '../sdk/index.ts';

/** One link as a line of the table. */
export interface LinkRow {
  from: string;
  to: string;
  path: LinkSnapshot['path'];
  /** Milliseconds; null before it is measured. */
  roundTripMs: number | null;
  /** Of this tab's own links only. */
  traffic: Pick<LinkSnapshot, 'bytesIn' | 'bytesOut'> | null;
}

/** The own links, then those of others; a relay stands at the end where everybody's relay is looked for. */
export function linkRows(
  { links, linksOfOthers }: Pick<NetworkSnapshot, 'links' | 'linksOfOthers'>,
  { own, relays }: { own: string | null; relays: readonly string[] },
): LinkRow[] {
  const mine =
    own === null
      ? []
      : links
          .filter(({ peer, path }) => peer !== own && path !== 'none')
          .map(({ peer, path, roundTripMs, bytesIn, bytesOut }) => ({
            from: own,
            to: peer,
            path,
            roundTripMs,
            traffic: { bytesIn, bytesOut },
          }));
  const others = linksOfOthers.map(({ from, to, path, roundTripMs }) => {
    const [one, other] = relays.includes(from) ? [to, from] : [from, to];
    return { from: one, to: other, path, roundTripMs, traffic: null };
  });
  return [...mine, ...others];
}
