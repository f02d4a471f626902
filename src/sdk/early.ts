/** The light half of the door, for a page that is drawn before engine and network code are here. */
export { type NextStep, ShoalError, type ShoalErrorCode, toShoalError } from './errors.ts';
export { lateShoal } from './late.ts';
export { POWER } from './network/power.ts';
export { Cell } from './observable.ts';
export { randomId } from './random.ts';
export type * from './types.ts';
