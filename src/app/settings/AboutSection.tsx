import { version } from '../../../package.json';
import { useWords } from '../words/index.ts';
import { Section } from './Section.tsx';

export function AboutSection() {
  const words = useWords().settings.about;
  return (
    <Section title={words.title}>
      <p>{words.version(version)}</p>
      <p className="hint">{words.text}</p>
      <p className="hint">{words.docs}</p>
      <p>
        <a href="/status">{words.status}</a>
      </p>
    </Section>
  );
}
