import { useEffect, useRef, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useWords } from '../words/index.ts';
import { AnswerListener } from './answer-listener.ts';

/** Sentences that stay in the document: a screen reader may be behind by a few. */
const KEPT = 40;

interface Line {
  key: number;
  text: string;
}

/**
 * Tells a screen reader each sentence of an answer once, when it is whole. Only what grows while it is watched is told:
 * a conversation that is opened was heard before.
 */
export function Announcer({ extra }: { extra: { text: string; at: number } }) {
  const { chat } = useWords();
  const { thread } = useDoors();
  const [lines, setLines] = useState<Line[]>([]);
  const count = useRef(0);
  const words = useRef(chat.spoken);
  words.current = chat.spoken;

  useEffect(() => {
    const add = (texts: readonly string[]) => {
      if (texts.length === 0) return;
      setLines((now) => [...now, ...texts.map((text) => ({ key: count.current++, text }))].slice(-KEPT));
    };
    const listener = new AnswerListener(thread.state.get());
    return thread.state.subscribe((state) => add(listener.hear(state, words.current)));
  }, [thread]);

  useEffect(() => {
    if (extra.text) setLines((now) => [...now, { key: count.current++, text: extra.text }].slice(-KEPT));
  }, [extra]);

  return (
    <div className="visually-hidden" aria-live="polite" aria-relevant="additions">
      {lines.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  );
}
