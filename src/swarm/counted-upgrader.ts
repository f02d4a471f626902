import type { Upgrader } from '@libp2p/interface';
import type { AddressLimits } from './address-limits.ts';
import { hostOf } from './addresses.ts';

/** An upgrader that takes a connection only when its address has a place left. */
export function countedUpgrader(upgrader: Upgrader, limits: AddressLimits): Upgrader {
  const upgradeInbound: Upgrader['upgradeInbound'] = async (connection, options) => {
    const place = limits.enter(hostOf(connection.remoteAddr) ?? '', 'socket');
    if (!place) throw new Error('This address, or all together, have too many connections.');
    connection.addEventListener('close', place.leave, { once: true });
    try {
      await upgrader.upgradeInbound(connection, options);
      place.upgraded();
    } catch (error) {
      place.leave();
      throw error;
    }
  };
  return new Proxy(upgrader, {
    get: (target, name) => {
      if (name === 'upgradeInbound') return upgradeInbound;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
