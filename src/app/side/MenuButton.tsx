import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Icon, type IconName } from '../look/Icon.tsx';

export interface MenuItem {
  label: string;
  icon: IconName;
  /** Deletes something. */
  bad?: boolean;
  act: () => void;
}

interface Props {
  label: string;
  items: readonly MenuItem[];
}

/** Pixels between the button and its menu, and between the menu and the edge of the window. */
const GAP = 4;

/** A button with a menu of actions: arrows, Home, End and a first letter walk in it, Escape and Tab leave it. */
export function MenuButton({ label, items }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        type="button"
        className="icon"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' || open) return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        <Icon name="more" />
      </button>
      {open && <Menu label={label} items={items} button={button} onClose={() => setOpen(false)} />}
    </>
  );
}

interface MenuProps {
  label: string;
  items: readonly MenuItem[];
  button: RefObject<HTMLButtonElement | null>;
  onClose: () => void;
}

function Menu({ label, items, button, onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = menu.current;
    if (!element || !button.current) return;
    // In the top layer, so that no list and no drawer cuts it off.
    if (!element.matches(':popover-open')) element.showPopover();
    place(element, button.current);
    element.querySelector('button')?.focus();
  }, [button]);
  useEffect(() => {
    const elsewhere = (event: Event) => {
      const inside = [menu, button].some(({ current }) => current?.contains(event.target as Node));
      if (!inside) onClose();
    };
    document.addEventListener('pointerdown', elsewhere, true);
    // The button scrolls away from under it.
    document.addEventListener('scroll', elsewhere, true);
    return () => {
      document.removeEventListener('pointerdown', elsewhere, true);
      document.removeEventListener('scroll', elsewhere, true);
    };
  });

  const leave = () => {
    button.current?.focus();
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const entries = [...(menu.current?.querySelectorAll('button') ?? [])];
    const at = entries.findIndex((entry) => entry.matches(':focus'));
    const to = target(event.key, at, items);
    if (to !== null) {
      event.preventDefault();
      entries[to]?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      // Escape closes the menu and nothing behind it.
      if (event.key === 'Escape') event.preventDefault();
      event.stopPropagation();
      leave();
    }
  };
  return (
    <div
      ref={menu}
      popover="manual"
      role="menu"
      aria-label={label}
      className="side-menu"
      onKeyDown={onKeyDown}
    >
      {items.map(({ label, icon, bad, act }) => (
        <button
          key={label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={bad ? 'side-bad' : undefined}
          onClick={() => {
            // The focus is back first: a dialog returns it to where it was.
            leave();
            act();
          }}
        >
          <Icon name={icon} size={18} />
          {label}
        </button>
      ))}
    </div>
  );
}

/** Where a key moves the focus, null when it does not. */
function target(key: string, at: number, items: readonly MenuItem[]): number | null {
  const last = items.length - 1;
  if (key === 'ArrowDown') return at >= last ? 0 : at + 1;
  if (key === 'ArrowUp') return at <= 0 ? last : at - 1;
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  if (key.length !== 1) return null;
  const fits = (item: MenuItem) => item.label.toLowerCase().startsWith(key.toLowerCase());
  const after = items.findIndex((item, i) => i > at && fits(item));
  const found = after >= 0 ? after : items.findIndex(fits);
  return found >= 0 ? found : null;
}

/** Below the button, above it where there is no room, and never outside the window. */
function place(menu: HTMLElement, button: HTMLElement): void {
  const from = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = from.bottom + GAP;
  const top = below + height > innerHeight ? Math.max(GAP, from.top - GAP - height) : below;
  const left = Math.min(Math.max(GAP, from.right - width), innerWidth - width - GAP);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}
