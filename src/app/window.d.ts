import type { Shoal } from '../sdk/index.ts';

declare global {
  interface Window {
    shoal: Shoal;
  }
}
