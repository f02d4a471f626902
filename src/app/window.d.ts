import type { Shoal } from '../sdk/early.ts';

declare global {
  interface Window {
    shoal: Shoal;
  }
}
