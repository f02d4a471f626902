/** Looks whether a relay can work with its configuration, and says what to do where it cannot. */
export { type Asked, type AskOptions, ask, localUrl, objectIn, peerIn } from './ask.ts';
export { CHECKS, type DoctorOptions, examine } from './doctor.ts';
export type { Check, Finding, FindingState } from './types.ts';
