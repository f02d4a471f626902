import { useState } from 'react';
import { useDoors } from '../doors.ts';
import { Switch } from '../look/Switch.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { HoursField } from './HoursField.tsx';
import { MemoryField } from './MemoryField.tsx';
import { PowerField } from './PowerField.tsx';

/** What this device gives, and when. */
export function LimitsForm() {
  const { share: words } = useWords();
  const { settings, share } = useDoors();
  const limits = useObservable(settings).share;
  const device = useObservable(share.device);
  const change = settings.changeShare.bind(settings);
  const charging = device.charging === null ? words.onPowerUnknown : words.onPowerKnown(device.charging);
  return (
    <section aria-labelledby="share-limits">
      <h2 id="share-limits">{words.limitsTitle}</h2>
      <p className="hint">{words.limitsHint}</p>
      <div className="card share-limits">
        <PowerField power={limits.power} onChange={(power) => change({ power })} />
        <MemoryField megabytes={limits.memoryMb} onChange={(memoryMb) => change({ memoryMb })} />
        <HoursField hours={limits.hours} onChange={(hours) => change({ hours })} />
        <Switch
          label={words.onPower}
          checked={limits.onlyOnPower}
          onChange={(onlyOnPower) => change({ onlyOnPower })}
        >
          {charging}
        </Switch>
        <div>
          <Switch
            label={words.whenIdle}
            checked={limits.onlyWhenIdle}
            onChange={(onlyWhenIdle) => change({ onlyWhenIdle })}
          >
            {device.idleOf === 'device' ? words.idleOfDevice : words.idleOfPage}
          </Switch>
          {limits.onlyWhenIdle && device.mayAskIdle && device.idleOf === 'page' && <AskForIdle />}
        </div>
        <Switch
          label={words.wakeLock}
          checked={limits.wakeLock}
          disabled={device.screenHeld === null}
          onChange={(wakeLock) => change({ wakeLock })}
        >
          {words.wakeLockHint}
          {device.screenHeld === null && ` ${words.wakeLockNone}`}
          {device.screenHeld && ` ${words.wakeLockHeld}`}
        </Switch>
      </div>
    </section>
  );
}

function AskForIdle() {
  const { share: words } = useWords();
  const { share } = useDoors();
  const [refused, setRefused] = useState(false);
  return (
    <p className="share-beside">
      <button
        type="button"
        className="plain"
        onClick={() => void share.askForIdle().then((given) => setRefused(!given))}
      >
        {words.askIdle}
      </button>
      <span role="status" className="hint">
        {refused && words.askedIdle}
      </span>
    </p>
  );
}
