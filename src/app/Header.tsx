import type { Doors } from './App.tsx';
import { Logo } from './Logo.tsx';
import { Menu } from './Menu.tsx';
import { useObservable } from './use-observable.ts';

interface Props extends Doors {
  onNewChat: () => void;
  onOpenFile: () => void;
}

export function Header(props: Props) {
  const { model } = useObservable(props.shoal.status);
  return (
    <header>
      <h1>
        <Logo size={30} />
        Shoal
      </h1>
      <span className="model-name" title={model ? `cid ${model.cid}` : undefined}>
        {model?.name ?? ''}
      </span>
      <button type="button" className="quiet new-chat" onClick={props.onNewChat}>
        New chat
      </button>
      <button type="button" className="quiet menu-button" popoverTarget="menu" aria-label="Menu">
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
          <path d="M3 6h14M3 10h14M3 14h14" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
        </svg>
      </button>
      <Menu {...props} />
    </header>
  );
}
