/** Drawn on 24 × 24 with lines of 1.8: paths only, so that they take the colour of the text. */
const ICONS = {
  chat: 'M5 5h14v10H11l-4 4v-4H5z',
  share: 'M12 20V9M7.5 12.5L12 8l4.5 4.5M5 4h14',
  network:
    'M5 12a2 2 0 1 0 4 0a2 2 0 1 0-4 0M15 6a2 2 0 1 0 4 0a2 2 0 1 0-4 0M15 18a2 2 0 1 0 4 0a2 2 0 1 0-4 0M8.7 11l6.5-4M8.7 13l6.5 4',
  settings: 'M4 7h9M17 7h3M13 7a2 2 0 1 0 4 0a2 2 0 1 0-4 0M4 17h3M11 17h9M7 17a2 2 0 1 0 4 0a2 2 0 1 0-4 0',
  close: 'M6 6l12 12M18 6L6 18',
  menu: 'M4 7h16M4 12h16M4 17h16',
  plus: 'M12 5v14M5 12h14',
  send: 'M12 19V6M6.5 11L12 5.5l5.5 5.5',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  retry: 'M19 12a7 7 0 1 1-2-4.9M17 3v4.5h-4.5',
  edit: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
  left: 'M14.5 6l-6 6l6 6',
  right: 'M9.5 6l6 6l-6 6',
  down: 'M6 9.5l6 6l6-6',
  pin: 'M9 4h6l-1 6l3 3H7l3-3zM12 13v7',
  trash: 'M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12',
  attach: 'M18 11l-6.5 6.5a3.5 3.5 0 0 1-5-5L13 6a2.4 2.4 0 0 1 3.4 3.4l-6.3 6.3',
  search: 'M5 11a6 6 0 1 0 12 0a6 6 0 1 0-12 0M15.5 15.5L20 20',
  download: 'M12 4v11M7.5 11L12 15.5l4.5-4.5M5 20h14',
  pause: 'M8 6v12M16 6v12',
  play: 'M8 5l10 7l-10 7z',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  hidden: 'M4 12c4-6 12-6 16 0c-4 6-12 6-16 0M4 20L20 4',
} as const;

export type IconName = keyof typeof ICONS;

/** An icon beside or instead of a word; the word, or an `aria-label`, names the thing. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={ICONS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
