import { examine, type Finding } from '../doctor/index.ts';
import { type Command, EXIT, type Output } from './command.ts';

/** A sign for the eye and a word for who cannot see it or searches for it. */
const SIGNS = { ok: '✓ ok  ', warn: '! warn', fail: '✗ FAIL' } as const;
const COLOURS = { ok: '\x1b[32m', warn: '\x1b[33m', fail: '\x1b[31m' } as const;
const PLAIN = '\x1b[0m';

export const doctor: Command = {
  name: 'doctor',
  usage: '[--json] [flags]',
  summary: 'check whether this machine and configuration can work',
  about: `Looks at this machine, the configuration, the models and the way to others, says what it saw,
and what to do about what is wrong. It changes nothing, and works beside a running relay. The
exit code is 1 when something failed.

Example:  shoal-relay doctor --config /etc/shoal/shoal.yaml`,
  own: { json: { placeholder: '', help: 'The findings as JSON.' } },
  run: async ({ config, file, options, out, env, signal }) => {
    const json = options.has('json');
    const colours = out.isTTY === true && !env.NO_COLOR;
    if (!json) out.write(`${file ? `Configuration: ${file}` : 'No configuration file.'}\n\n`);
    const findings = await examine({ config, signal }, (some) => {
      if (!json) for (const finding of some) tell(out, finding, colours);
    });
    const failed = findings.filter(({ state }) => state === 'fail').length;
    const warned = findings.filter(({ state }) => state === 'warn').length;
    if (json) out.write(`${JSON.stringify({ ok: failed === 0, file, findings }, null, 2)}\n`);
    else out.write(`\n${summary(failed, warned)}\n`);
    return failed === 0 ? EXIT.ok : EXIT.failed;
  },
};

function tell(out: Output, { name, state, seen, todo }: Finding, colours: boolean): void {
  const sign = colours ? `${COLOURS[state]}${SIGNS[state]}${PLAIN}` : SIGNS[state];
  out.write(`${sign}  ${name.padEnd(15)} ${seen}\n`);
  if (todo !== null) out.write(`${' '.repeat(24)} → ${todo}\n`);
}

function summary(failed: number, warned: number): string {
  if (failed + warned === 0) return 'Everything is in order.';
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  return `${count(failed, 'failure')}, ${count(warned, 'warning')}.`;
}
