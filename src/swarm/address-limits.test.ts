import { describe, expect, it } from 'vitest';
import { AddressLimits, networkOf, type Place } from './address-limits.ts';
import { RELAY_LIMITS, type RefusalReason, type RelayLimits } from './relay-limits.ts';

function limitsWith(limits: Partial<RelayLimits>) {
  const time = { now: 0 };
  const refused: RefusalReason[] = [];
  const doors = new AddressLimits({
    limits: { ...RELAY_LIMITS, connectionsPerSecond: 1_000, ...limits },
    now: () => time.now,
    refused: (reason) => refused.push(reason),
  });
  return { time, refused, doors };
}

const entered = (places: (Place | null)[]) => places.filter((place) => place !== null);

describe('one address', () => {
  it('takes its own places and not those of others, and a place that is left is free', () => {
    const { doors, refused } = limitsWith({ connectionsPerAddress: 3, connections: 10 });
    const mine = Array.from({ length: 5 }, () => doors.enter('192.0.2.1', 'socket'));
    expect(entered(mine)).toHaveLength(3);
    expect(refused).toEqual(['connections-per-address', 'connections-per-address']);
    expect(doors.enter('192.0.2.2', 'socket')).not.toBeNull();
    mine[0]!.leave();
    mine[0]!.leave();
    expect(doors.enter('192.0.2.1', 'datagram')).not.toBeNull();
    expect(doors.enter('192.0.2.1', 'datagram')).toBeNull();
    expect(doors.open).toBe(4);
  });

  it('may have a few connections that are not encrypted yet', () => {
    const { doors, refused } = limitsWith({ pendingPerAddress: 2 });
    const [first] = [doors.enter('192.0.2.1', 'socket'), doors.enter('192.0.2.1', 'datagram')];
    expect(doors.enter('192.0.2.1', 'socket')).toBeNull();
    expect(refused).toEqual(['pending-per-address']);
    first!.upgraded();
    first!.upgraded();
    expect(doors.pending).toBe(1);
    expect(doors.enter('192.0.2.1', 'socket')).not.toBeNull();
    first!.leave();
    expect([doors.pending, doors.open]).toEqual([2, 2]);
  });

  it('comes so many times a second, and again when it has waited', () => {
    const { doors, refused, time } = limitsWith({ connectionsPerSecond: 4 });
    const come = (times: number) =>
      Array.from({ length: times }, () => doors.enter('192.0.2.1', 'socket')).map((place) => {
        place?.leave();
        return place;
      });
    expect(entered(come(6))).toHaveLength(4);
    expect(refused).toEqual(['connections-per-second', 'connections-per-second']);
    time.now = 500;
    expect(entered(come(6))).toHaveLength(2);
    time.now = 100_000;
    expect(entered(come(6))).toHaveLength(4);
  });

  it('is a /64 when it is IPv6, and the same whether IPv4 is written as IPv6', () => {
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe(networkOf('2001:db8:1:2::ffff'));
    expect(networkOf('2001:db8:1:2::/64')).toBe(networkOf('2001:db8:1:2::1'));
    expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'));
    expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(networkOf('fe80::1%eth0')).toBe(networkOf('fe80::2'));
    expect(networkOf('nonsense')).toBe('nonsense');
  });
});

describe('all together', () => {
  it('have so many, and forged datagrams do not take the pending places of sockets', () => {
    const { doors, refused } = limitsWith({ pending: 2, connections: 5 });
    const forged = Array.from({ length: 4 }, (_, i) => doors.enter(`192.0.2.${i}`, 'datagram'));
    expect(entered(forged)).toHaveLength(2);
    expect(doors.enter('198.51.100.1', 'socket')).not.toBeNull();
    expect(refused).toEqual(['pending', 'pending']);
    for (const place of forged) place?.upgraded();
    expect(doors.enter(null, 'datagram')).not.toBeNull();
    expect(doors.enter(null, 'datagram')).not.toBeNull();
    expect(doors.enter(null, 'socket')).toBeNull();
    expect(refused.at(-1)).toBe('connections');
  });

  it('are remembered in bounds, whoever comes', () => {
    const { doors } = limitsWith({ connectionsPerSecond: 1, connections: 3 });
    const kept = doors.enter('192.0.2.1', 'socket');
    expect(kept).not.toBeNull();
    const until = 30_000;
    for (let i = 0; i < until; i++) {
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      doors.enter(address, 'socket')?.leave();
    }
    // The first of them was forgotten and may come again; the last one was not, and who is connected never is.
    expect(doors.enter('10.0.0.0', 'socket')).not.toBeNull();
    expect(doors.enter(`10.0.${((until - 1) >> 8) & 255}.${(until - 1) & 255}`, 'socket')).toBeNull();
    expect(doors.enter('192.0.2.1', 'socket')).toBeNull();
  });
});
