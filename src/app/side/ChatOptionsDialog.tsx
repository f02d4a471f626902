import { type ReactNode, useState } from 'react';
import type { ChatOptions } from '../chat/types.ts';
import { useDoors } from '../doors.ts';
import { Dialog } from '../look/Dialog.tsx';
import { useObservable } from '../look/use-observable.ts';
import { LIMITS } from '../settings/settings.ts';
import { useWords } from '../words/index.ts';
import { NumberField, RangeField } from './fields.tsx';
import { LARGEST_SEED, NO_OPTIONS, ownOptions } from './options.ts';
import { SystemPrompt } from './SystemPrompt.tsx';
import './options.css';

/** What holds in this chat only, from the next answer on. What is not its own comes from the settings. */
export function ChatOptionsDialog({ onClose }: { onClose: () => void }) {
  const { side } = useWords();
  const { thread, settings } = useDoors();
  const state = useObservable(thread.state);
  const { temperature, topP, maxTokens } = useObservable(settings);
  /** Counts resets: the boxes begin anew with what is there then. */
  const [resets, setResets] = useState(0);
  const change = (options: Partial<ChatOptions>) => thread.setOptions(options);
  return (
    <Dialog title={side.optionsTitle} onClose={onClose}>
      <div className="side-options" key={resets}>
        <SystemPrompt value={state.system} onChange={(system) => change({ system })} />
        <Own
          name={side.temperature}
          common={String(temperature)}
          own={state.temperature !== null}
          onOwn={(own) => change({ temperature: own ? temperature : null })}
        >
          <RangeField
            bare
            label={side.temperature}
            value={state.temperature ?? temperature}
            range={LIMITS.temperature}
            step={0.1}
            hint={side.temperatureHint}
            onChange={(temperature) => change({ temperature })}
          />
        </Own>
        <Own
          name={side.topP}
          common={String(topP)}
          own={state.topP !== null}
          onOwn={(own) => change({ topP: own ? topP : null })}
        >
          <RangeField
            bare
            label={side.topP}
            value={state.topP ?? topP}
            range={LIMITS.topP}
            step={0.05}
            hint={side.topPHint}
            onChange={(topP) => change({ topP })}
          />
        </Own>
        <Own
          name={side.maxTokens}
          common={String(maxTokens)}
          own={state.maxTokens !== null}
          onOwn={(own) => change({ maxTokens: own ? maxTokens : null })}
        >
          <NumberField
            bare
            label={side.maxTokens}
            value={state.maxTokens ?? maxTokens}
            range={LIMITS.maxTokens}
            onChange={(maxTokens) => change({ maxTokens })}
          />
        </Own>
        <Own
          name={side.seed}
          common={null}
          own={state.seed !== null}
          onOwn={(own) => change({ seed: own ? anySeed() : null })}
        >
          <NumberField
            bare
            label={side.seed}
            value={state.seed ?? 0}
            range={[0, LARGEST_SEED]}
            hint={side.seedHint}
            onChange={(seed) => change({ seed })}
          />
        </Own>
        <div className="side-actions">
          <button
            type="button"
            className="plain"
            disabled={ownOptions(state) === 0}
            onClick={() => {
              change(NO_OPTIONS);
              setResets(resets + 1);
            }}
          >
            {side.reset}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

interface OwnProps {
  name: string;
  /** What the settings say, in words; null where each answer takes another. */
  common: string | null;
  own: boolean;
  onOwn: (own: boolean) => void;
  children: ReactNode;
}

/** A choice between the settings and a value of this chat's own; the field for it appears with it. */
function Own({ name, common, own, onOwn, children }: OwnProps) {
  const { side } = useWords();
  return (
    <fieldset className="side-option">
      <legend>{name}</legend>
      <label className="side-check">
        <input type="checkbox" checked={!own} onChange={(event) => onOwn(!event.currentTarget.checked)} />
        {common === null ? side.seedRandom : side.asSettings(common)}
      </label>
      {own && children}
    </fieldset>
  );
}

/** A first seed that nobody has to think of: of six digits, to be read and written down. */
function anySeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000;
}
