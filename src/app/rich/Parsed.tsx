import type { Element } from 'hast';
import {
  type ComponentProps,
  createContext,
  memo,
  useContext,
  useEffect,
  useMemo,
  useReducer,
  useRef,
} from 'react';
import type { Components } from 'react-markdown';
import { useWords } from '../words/index.ts';
import { Code } from './Code.tsx';
import { closeOpen } from './close-open.ts';
import { Formula } from './Formula.tsx';
import { Plain } from './Plain.tsx';
import { Pace } from './pace.ts';
import { parse } from './parse.ts';
import { placeOf } from './tidy.ts';

interface Props {
  source: string;
  /** Lines that say where links lead, of the whole answer. */
  definitions: string;
  /** The answer is still being written, and this is its end. */
  growing: boolean;
  /** Of headings. */
  level: number;
}

interface Surroundings {
  growing: boolean;
  level: number;
}

const Around = createContext<Surroundings>({ growing: false, level: 2 });

/** One block of an answer as elements. It is parsed again only when it changes, and not at every token. */
export const Parsed = memo(function Parsed({ source, definitions, growing, level }: Props) {
  const pace = useRef<Pace>(null);
  pace.current ??= new Pace();
  const shown = usePaced(pace.current, source, growing);
  const content = useMemo(() => {
    const started = performance.now();
    try {
      const links = definitions !== '' && shown.includes('[') ? `\n\n${definitions}` : '';
      return parse((growing ? closeOpen(shown) : shown) + links, COMPONENTS);
    } catch {
      // Nonsense that the parser cannot take, or too much: it is still text.
      return null;
    } finally {
      pace.current?.parsed(started, performance.now() - started);
    }
  }, [shown, definitions, growing]);
  const around = useMemo(() => ({ growing, level }), [growing, level]);
  return content ? <Around value={around}>{content}</Around> : <Plain text={source} />;
});

/** The text, or an older one until it may be parsed again. */
function usePaced(pace: Pace, source: string, growing: boolean): string {
  const shown = useRef(source);
  const [, again] = useReducer((count: number) => count + 1, 0);
  const wait = growing && source !== shown.current ? pace.wait(performance.now()) : 0;
  if (wait === 0) shown.current = source;
  useEffect(() => {
    if (wait === 0) return;
    const timer = setTimeout(again, wait);
    return () => clearTimeout(timer);
  });
  return shown.current;
}

type Given<Tag extends keyof React.JSX.IntrinsicElements> = ComponentProps<Tag> & { node?: Element };

const COMPONENTS: Components = {
  a: Link,
  span: Span,
  pre: Pre,
  table: Table,
  input: Tick,
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((depth) => [`h${depth}`, headingOf(depth)])),
};

function Link({ href, title, children, node }: Given<'a'>) {
  const { rich } = useWords();
  const words = node ? wordsOf(node) : '';
  const place = href ? placeOf(new URL(href), words) : null;
  const picture = node?.properties.dataPicture === true;
  return (
    <>
      <a href={href} title={title} target="_blank" rel="noopener noreferrer nofollow">
        {picture ? rich.image(words) : words.trim() === '' ? href : children}
      </a>
      {place && <small className="rich-place"> ({place})</small>}
    </>
  );
}

function Span({ className, children, node }: Given<'span'>) {
  const { rich } = useWords();
  const classes = className?.split(' ') ?? [];
  if (classes.includes('formula') && node) {
    return <Formula tex={wordsOf(node)} display={classes.includes('display')} closed={true} />;
  }
  if (node?.properties.dataPicture === true) return <span>{rich.image(wordsOf(node))}</span>;
  return <span>{children}</span>;
}

/** Code in a list or a quote; on its own it is a block. */
function Pre({ node }: Given<'pre'>) {
  const { growing } = useContext(Around);
  const code = node?.children[0];
  const names = code?.type === 'element' ? code.properties.className : undefined;
  const language = Array.isArray(names) ? String(names[0]).replace(/^language-/, '') : '';
  const text = node ? wordsOf(node).replace(/\n$/, '') : '';
  return <Code code={text} language={language.slice(0, 24)} closed={!growing} />;
}

function Table({ children }: Given<'table'>) {
  const { rich } = useWords();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table is no set of form fields.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard.
    <div className="rich-scroll rich-table" role="group" aria-label={rich.table} tabIndex={0}>
      <table>{children}</table>
    </div>
  );
}

function Tick({ checked }: Given<'input'>) {
  const { rich } = useWords();
  return (
    <span className="rich-tick" role="img" aria-label={checked ? rich.done : rich.notDone}>
      {checked ? '☑' : '☐'}
    </span>
  );
}

function headingOf(depth: number) {
  return function Heading({ children }: { children?: React.ReactNode }) {
    const { level } = useContext(Around);
    const Tag = `h${level}` as 'h2';
    return (
      <Tag className={`rich-h${depth}`} dir="auto">
        {children}
      </Tag>
    );
  };
}

function wordsOf(node: Element): string {
  return node.children
    .map((child) => (child.type === 'text' ? child.value : child.type === 'element' ? wordsOf(child) : ''))
    .join('');
}
