import { encodeMessage } from '../src/wire/index.ts';
import { FAULTS } from './faults.ts';
import type { RunOptions } from './run.ts';
import { read } from './watch.ts';

/** Things broken on purpose, to see that the simulator sees it. The code under test knows nothing of them. */
const only = (name: string) => FAULTS.filter((fault) => fault.name === name);

/** Every frame looks as if it were of the epoch that its receiver expects: as a host without the epoch check. */
export const epochCheckOff: RunOptions = {
  faults: only('late frame of an older epoch'),
  sabotage({ network }, watch) {
    network.hooks.push({
      arriving(frame) {
        if (frame.kind !== 'forward_hidden') return true;
        const message = read(frame);
        if (message?.kind !== 'forward_hidden') return true;
        const expected = watch.inEpoch(message.session_id, frame.to);
        if (expected !== undefined && (message.epoch ?? 0) < expected)
          frame.bytes = encodeMessage({ ...message, epoch: expected });
        return true;
      },
    });
  },
};

/** The first frame of each replay comes without its second row, and what follows moves up. */
export const replaySkipsRow: RunOptions = {
  faults: only('kill before forward_hidden'),
  sabotage({ network }) {
    network.hooks.push({
      sending(frame) {
        if (frame.kind !== 'forward_hidden') return true;
        const message = read(frame);
        if (message?.kind !== 'forward_hidden' || !message.epoch || message.position !== 0) return true;
        const [batch, rows, width] = message.shape;
        if (rows < 3) return true;
        const row = message.payload.length / rows;
        const payload = new Uint8Array(message.payload.length - row);
        payload.set(message.payload.subarray(0, row));
        payload.set(message.payload.subarray(2 * row), row);
        frame.bytes = encodeMessage({ ...message, shape: [batch, rows - 1, width], payload });
        return true;
      },
    });
  },
};
