import { availableParallelism } from 'node:os';
import { formatBytes } from '../progress.ts';
import { type Check, fail, ok, warn } from './types.ts';

/** As in package.json, `engines`. */
const LEAST_NODE = [20, 19] as const;
/** The relay itself, its libp2p node and some hundred peers. Bytes. */
const OWN_MEMORY = 300e6;

export const nodeVersion: Check = {
  name: 'Node.js',
  run: async () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
    const seen = `Version ${process.versions.node}.`;
    return [enough ? ok(seen) : fail(seen, `Install Node.js ${LEAST_NODE.join('.')} or newer.`)];
  },
};

export const memory: Check = {
  name: 'Memory',
  run: async ({ config }) => {
    // Knows the limits of a container, unlike os.freemem().
    const free = process.availableMemory();
    const wanted = config.hosting.memory;
    const seen = `${formatBytes(free)} are free.`;
    const onGpus = config.hosting.devices.every((device) => device.startsWith('cuda'));
    if (config.hosting.layers === 'none' || onGpus) {
      if (free >= OWN_MEMORY)
        return [ok(`${seen} ${onGpus ? 'Layers lie on GPUs.' : 'No layers are lent.'}`)];
      return [warn(seen, `A relay takes about ${formatBytes(OWN_MEMORY)}. Free some.`)];
    }
    if (wanted === null) {
      if (free >= 2 * OWN_MEMORY) return [ok(`${seen} Half of it, at most 4 GB, is lent.`)];
      return [warn(seen, 'That is little for lending layers. Free some, or set hosting.layers to none.')];
    }
    if (wanted + OWN_MEMORY <= free) return [ok(`${seen} ${formatBytes(wanted)} are to be lent.`)];
    const todo = `Set hosting.memory to ${formatBytes(Math.max(16e6, free - OWN_MEMORY))} or less, or free some.`;
    return [fail(`${seen} hosting.memory is ${formatBytes(wanted)}, and the relay needs some itself.`, todo)];
  },
};

export const threads: Check = {
  name: 'Processor',
  run: async ({ config }) => {
    const there = availableParallelism();
    const wanted = config.hosting.threads;
    const seen = `${there} ${there === 1 ? 'thread' : 'threads'}.`;
    if (wanted !== null && wanted > there)
      return [
        warn(
          `${seen} hosting.threads is ${wanted}.`,
          `More threads than there are make it slower: set at most ${there}.`,
        ),
      ];
    if (there === 1 && config.hosting.layers !== 'none')
      return [warn(seen, 'Answers and the network share it. Take a machine with two, or lend nothing.')];
    return [ok(seen)];
  },
};
