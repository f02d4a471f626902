export type { EngineInfo } from '../engine/index.ts';
export { type NextStep, ShoalError, type ShoalErrorCode, toShoalError } from './errors.ts';
export { lateShoal } from './late.ts';
export { POWER } from './network/power.ts';
export { Cell } from './observable.ts';
export type { Keep, OpenStore, Platform } from './platform.ts';
export { randomId } from './random.ts';
export { openShoal } from './shoal.ts';
export type * from './types.ts';
