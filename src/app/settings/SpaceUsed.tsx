import { useEffect, useState } from 'react';
import { formatBytes } from '../format.ts';
import { useWords } from '../words/index.ts';

interface Space {
  used: number;
  /** Bytes that the browser allows, null when it does not tell. */
  quota: number | null;
  persisted: boolean;
}

/** What the origin takes of what it may, and whether the browser has promised to keep it. */
export function SpaceUsed({ watched }: { watched: unknown }) {
  const words = useWords().settings.storage;
  const [space, setSpace] = useState<Space | null>(null);
  const [refused, setRefused] = useState(false);
  // Looked at again when what is kept has changed.
  useEffect(() => {
    let current = true;
    readSpace().then((found) => current && setSpace(found));
    return () => {
      current = false;
    };
  }, [watched]);
  if (!space) return null;
  const { used, quota, persisted } = space;
  const text = quota ? words.usedOf(formatBytes(used), formatBytes(quota)) : formatBytes(used);
  const ask = async () => {
    const given = await navigator.storage.persist();
    setRefused(!given);
    setSpace({ ...space, persisted: given });
  };
  return (
    <div className="settings-space">
      <h3>{words.used}</h3>
      {quota && (
        <meter min={0} max={quota} value={used} aria-label={words.used} aria-valuetext={text}>
          {text}
        </meter>
      )}
      <p>{text}</p>
      <p className="hint" role="status">
        {persisted ? words.persisted : refused ? words.persistRefused : words.notPersisted}
      </p>
      {!persisted && (
        <div className="settings-actions">
          <button type="button" className="plain" onClick={() => void ask()}>
            {words.persist}
          </button>
        </div>
      )}
    </div>
  );
}

/** Null in a browser, or a window, that keeps nothing or does not tell. */
async function readSpace(): Promise<Space | null> {
  try {
    const { usage = 0, quota = null } = await navigator.storage.estimate();
    return { used: usage, quota, persisted: await navigator.storage.persisted() };
  } catch {
    return null;
  }
}
