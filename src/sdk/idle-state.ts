import type { Membership, NetworkMap, NetworkSnapshot, Status } from './types.ts';

/** What a Shoal shows before it did anything. */
export const IDLE_STATUS: Status = {
  phase: 'idle',
  model: null,
  detail: '',
  done: 0,
  total: 0,
  bytesPerSecond: 0,
  error: null,
  engine: null,
  storage: null,
  notices: [],
};

export const NO_MEMBERSHIP: Membership = {
  state: 'off',
  relay: 'gone',
  peer: null,
  addresses: [],
  sharing: null,
  preparing: null,
  otherVersions: 0,
  error: null,
};

export const NO_NETWORK: NetworkSnapshot = {
  state: 'off',
  relay: 'gone',
  self: null,
  peers: [],
  links: [],
  linksOfOthers: [],
  relays: [],
  coverage: [],
  sessionsServed: 0,
  error: null,
};

export const NO_MAP: NetworkMap = {
  source: 'none',
  at: 0,
  peers: [],
  links: [],
  models: [],
  total: 0,
  running: 0,
};
