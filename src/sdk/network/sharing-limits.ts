import type { Manifest } from '../../model/index.ts';
import type { LayerRange } from '../../swarm/index.ts';
import { ShoalError } from '../errors.ts';
import { DEFAULT_MEMORY, LEAST_MEMORY } from './choose-layers.ts';
import { POWER } from './power.ts';
import type { ShareLimits, ShareOptions, SharePower } from './types.ts';

/** What a share may take of this device. */
export interface CheckedLimits {
  power: SharePower;
  /** Bytes. */
  memory: number;
}

/** @param before what holds where nothing is said. @throws ShoalError `bad-request` */
export function checkLimits(
  { power, memory }: ShareLimits,
  before: CheckedLimits = { power: 'full', memory: DEFAULT_MEMORY },
): CheckedLimits {
  const checked = { power: power ?? before.power, memory: memory ?? before.memory };
  if (typeof checked.power !== 'string' || !Object.hasOwn(POWER, checked.power)) {
    throw new ShoalError('bad-request', `power is one of ${Object.keys(POWER).join(', ')}.`, {
      param: 'power',
    });
  }
  const sound = typeof checked.memory === 'number' && Number.isFinite(checked.memory);
  if (!sound || checked.memory < LEAST_MEMORY) {
    throw new ShoalError('bad-request', `memory is in bytes and at least ${LEAST_MEMORY}.`, {
      param: 'memory',
    });
  }
  return checked;
}

/** @throws ShoalError `bad-request` */
export function checkLayers(
  layers: NonNullable<ShareOptions['layers']>,
  manifest: Pick<Manifest, 'config' | 'name'>,
): LayerRange {
  const most = manifest.config.layers;
  const [start, end]: readonly unknown[] = Array.isArray(layers) ? layers : [];
  const sound =
    typeof start === 'number' && typeof end === 'number' && Number.isInteger(start) && Number.isInteger(end);
  if (sound && 0 <= start && start < end && end <= most) return { start, end };
  throw new ShoalError(
    'bad-request',
    `layers must be [start, end) within the ${most} layers of ${manifest.name}, as in [0, ${most}].`,
    { param: 'layers' },
  );
}
