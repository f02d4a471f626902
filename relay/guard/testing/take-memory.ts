/**
 * Takes memory until the watch says that it is full, gives it back, and waits for `ok`. Prints each state as a line.
 * Arguments: what to take (`resident` or `heap`), and how many megabytes above today's use are the limit.
 */
import { MemoryWatch, readMemory } from '../memory.ts';

const MB = 1024 * 1024;
const [kind, room] = process.argv.slice(2);
const { rss, total } = readMemory();
const share = kind === 'heap' ? 0.8 : (rss + Number(room) * MB) / total;
const watch = new MemoryWatch({ share, intervalMs: 20 });

let kept: unknown[] = [];
let taking = true;
const done = new Promise<void>((resolve) => {
  watch.onChange(({ state }) => {
    console.log(state);
    if (state === 'full') {
      taking = false;
      kept = [];
    } else if (!taking && state === 'ok') resolve();
  });
});
while (taking) {
  if (kind === 'heap') kept.push(Array.from({ length: 20_000 }, (_, i) => ({ i })));
  // Filled, or the kernel would not give it.
  else kept.push(Buffer.alloc(8 * MB, 1));
  await new Promise((resolve) => setTimeout(resolve, 2));
}
// The watch only sees what the collector gave back.
const collector = setInterval(() => globalThis.gc?.(), 20);
await done;
clearInterval(collector);
watch.close();
