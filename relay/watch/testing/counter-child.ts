/** Counts and saves as fast as it can until it is killed; says after each save how far the file is. */
import { systemClock } from '../../../src/swarm/clock.ts';
import { keepCounters } from '../counter-file.ts';
import { createMeters } from '../meters.ts';
import { silentLog } from './silent-log.ts';

const relay = createMeters({ gauges: {} });
let seen = 0;
await keepCounters({
  data: process.argv[2] ?? '',
  clock: systemClock,
  everyMs: 0,
  log: silentLog,
  meters: {
    ...relay,
    snapshot() {
      const saved = relay.snapshot();
      seen = relay.total('shoal_answers_total');
      return saved;
    },
  },
  onSaved: () => process.send?.(seen),
});
setInterval(() => relay.meters.count('shoal_answers_total', { route: 'own' }), 0);
process.on('disconnect', () => process.exit(0));
