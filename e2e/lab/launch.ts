import { type Browser, chromium } from '@playwright/test';
import { findChromium } from '../../scripts/chromium.ts';

/** Keeps the browser to the page under test: no first-run pages, no traffic of its own. */
const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** WebGPU computed on the CPU: the only adapter that every machine has. */
const SOFTWARE_GPU = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
];

/** Starts the Chromium that `npm test` found or installed, headless. */
export async function launchChromium(options: { gpu?: boolean; args?: string[] } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: await findChromium(),
    args: [...QUIET, ...(options.gpu ? SOFTWARE_GPU : []), ...(options.args ?? [])],
  });
}
