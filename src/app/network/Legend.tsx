import { Mark } from '../look/Mark.tsx';
import { useWords } from '../words/index.ts';

/** What marks and lines of the picture mean. */
export function Legend({ route }: { route: boolean }) {
  const { network } = useWords();
  return (
    <ul className="network-legend" aria-label={network.legend}>
      <Peer kind="self" words={network.legendSelf} />
      <Peer kind="relay" words={network.legendRelay} />
      <Peer kind="host" words={network.legendHost} />
      <Peer kind="client" words={network.legendClient} />
      <li>
        <span className="network-sessions" aria-hidden="true">
          2
        </span>
        {network.legendSessions}
      </li>
      <Line path="direct" words={network.legendDirect} />
      <Line path="relayed" words={network.legendRelayed} />
      <Line path="websocket" words={network.legendSocket} />
      {route && <Line path="route" words={network.legendRoute} />}
    </ul>
  );
}

function Peer({ kind, words }: { kind: string; words: string }) {
  return (
    <li>
      <span className="network-mark" data-kind={kind}>
        <Mark />
      </span>
      {words}
    </li>
  );
}

function Line({ path, words }: { path: string; words: string }) {
  return (
    <li>
      <svg width="26" height="8" viewBox="0 0 26 8" aria-hidden="true" focusable="false">
        <path className="network-line" data-path={path} d="M1 4h24" />
      </svg>
      {words}
    </li>
  );
}
