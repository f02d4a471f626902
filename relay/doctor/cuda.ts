import { type Check, fail, ok, warn } from './types.ts';

export const cuda: Check = {
  name: 'GPU',
  run: async ({ config, signal }) => {
    const { devices, layers } = config.hosting;
    const required = devices.some((device) => device.startsWith('cuda'));
    if (layers === 'none') return [ok('Not needed: no layers are lent.')];
    if (!required && !devices.includes('auto')) return [ok('Not asked for: hosting.devices has none.')];
    // It brings onnxruntime, which nobody needs who lends nothing.
    const { inspectCuda } = await import('../hosting/cuda.ts');
    const { usable, device, problems } = await inspectCuda({}, signal);
    if (usable) return [ok(`CUDA works${device ? ` on ${device}` : ''}.`)];
    // Without a device there is nothing to mend, unless somebody asked for one.
    if (!required && device === null) return [ok('No CUDA device: the processor computes.')];
    const found =
      problems.length > 0 ? problems : [{ what: 'CUDA does not work.', todo: 'See docs/cuda.md.' }];
    return found.map(({ what, todo }) => (required ? fail(what, todo) : warn(what, todo)));
  },
};
