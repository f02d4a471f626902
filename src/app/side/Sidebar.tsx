import { type RefObject, useEffect, useRef } from 'react';
import { Icon } from '../look/Icon.tsx';
import { useModal } from '../look/use-modal.ts';
import { useWords } from '../words/index.ts';
import { Conversations } from './Conversations.tsx';
import { useWide } from './use-wide.ts';
import './side.css';

interface Props {
  /** On a phone; on a wide screen the sidebar is always there. */
  open: boolean;
  onClose: () => void;
}

/** The conversations kept on this device: a column on wide screens, a drawer on a phone. */
export function Sidebar({ open, onClose }: Props) {
  const { side } = useWords();
  const wide = useWide();
  const search = useRef<HTMLInputElement>(null);
  const wantsSearch = useRef(false);

  useEffect(() => {
    const focus = () => {
      search.current?.focus();
      // The drawer may be about to open.
      wantsSearch.current = search.current === null;
    };
    window.addEventListener('shoal:search', focus);
    return () => window.removeEventListener('shoal:search', focus);
  }, []);
  useEffect(() => {
    // A window that grew has no drawer to be closed any more.
    if (wide && open) onClose();
  }, [wide, open, onClose]);

  return (
    <>
      {wide && (
        <aside className="side" aria-label={side.conversations}>
          <Conversations search={search} onDone={() => {}} />
        </aside>
      )}
      {!wide && open && <Drawer search={search} wantsSearch={wantsSearch} onClose={onClose} />}
    </>
  );
}

interface DrawerProps {
  search: RefObject<HTMLInputElement | null>;
  wantsSearch: RefObject<boolean>;
  onClose: () => void;
}

/** Modal, so that the focus stays in it; Escape and a click beside it close it. */
function Drawer({ search, wantsSearch, onClose }: DrawerProps) {
  const { side } = useWords();
  const element = useModal();
  useEffect(() => {
    if (wantsSearch.current) search.current?.focus();
    wantsSearch.current = false;
  }, [search, wantsSearch]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click beside it has Escape as its key.
    <dialog
      ref={element}
      className="side side-drawer"
      aria-label={side.conversations}
      onClose={(event) => event.target === element.current && onClose()}
      onClick={(event) => event.target === element.current && element.current?.close()}
    >
      <button
        type="button"
        className="icon side-close"
        aria-label={side.close}
        onClick={() => element.current?.close()}
      >
        <Icon name="close" />
      </button>
      <Conversations search={search} onDone={() => element.current?.close()} />
    </dialog>
  );
}
