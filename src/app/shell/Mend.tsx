import { Component, type ReactNode } from 'react';
import { useWords } from '../words/index.ts';

/** Keeps a failure in one view: the others go on, and the page says what to do. */
export class Mend extends Component<{ children: ReactNode }, { failed: boolean; fetching: boolean }> {
  override state = { failed: false, fetching: false };

  static getDerivedStateFromError(error: unknown) {
    // Browsers tell a module that did not arrive by a TypeError and differ in its words.
    const fetching = error instanceof TypeError && /import|module|preload|fetch/i.test(error.message);
    return { failed: true, fetching };
  }

  override render() {
    const { failed, fetching } = this.state;
    if (!failed) return this.props.children;
    return <Failed fetching={fetching} />;
  }
}

function Failed({ fetching }: { fetching: boolean }) {
  const { shell } = useWords();
  return (
    <section className="card failed" role="alert">
      <p>{fetching ? shell.notLoaded : shell.broken}</p>
      <div className="actions">
        <button type="button" className="plain" onClick={() => location.reload()}>
          {fetching ? shell.again : shell.reload}
        </button>
      </div>
    </section>
  );
}
