import type { Keep } from '../keep.ts';
import type { Device } from './device.ts';
import type { ShareChoice } from './types.ts';

const KEY = 'shoal.sharing';
/** Longer than any cid or model id. */
const LONGEST_NAME = 512;

/** The switch as it survives a reload: on, with what is held, so that the same layers are lent again. */
export interface SwitchedOn {
  choice: ShareChoice;
  /** Paused by hand. */
  paused: boolean;
}

/**
 * Kept for this browser and for this tab. A tab that is loaded again goes on as it was; one that is opened anew goes on
 * where the last one ended, but not while another tab shares: this device would lend the same memory twice.
 */
export class KeptSwitch {
  constructor(
    private readonly keep: Keep,
    private readonly device: Pick<Device, 'tab' | 'othersShare' | 'showSharing'>,
  ) {}

  on(switched: SwitchedOn): void {
    const text = JSON.stringify({ ...switched.choice, paused: switched.paused });
    this.device.tab.setItem(KEY, text);
    try {
      this.keep.setItem(KEY, text);
    } catch {
      // The browser's small storage is full: the switch lives as long as the tab.
    }
    this.device.showSharing(true);
  }

  off(): void {
    this.device.tab.removeItem(KEY);
    this.keep.removeItem(KEY);
    this.device.showSharing(false);
  }

  /** Null when it is to be off. */
  async read(): Promise<SwitchedOn | null> {
    const own = parse(this.device.tab.getItem(KEY));
    if (own) return own;
    const kept = parse(this.keep.getItem(KEY));
    return kept && !(await this.device.othersShare()) ? kept : null;
  }
}

/** Anything odd counts as off. */
function parse(text: string | null): SwitchedOn | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const model: unknown = Reflect.get(value, 'model');
    const layers: unknown = Reflect.get(value, 'layers');
    const [start, end]: unknown[] = Array.isArray(layers) ? layers : [];
    return {
      choice: {
        ...(typeof model === 'string' && model.length <= LONGEST_NAME && { model }),
        ...(Number.isInteger(start) && Number.isInteger(end) && { layers: [Number(start), Number(end)] }),
      },
      paused: Reflect.get(value, 'paused') === true,
    };
  } catch {
    return null;
  }
}
