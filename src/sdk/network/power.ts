import type { SharePower } from './types.ts';

/** After each run the host rests, so that its engine is busy for at most this part of the time. */
export const POWER: Readonly<Record<SharePower, number>> = { light: 0.25, medium: 0.6, full: 1 };
