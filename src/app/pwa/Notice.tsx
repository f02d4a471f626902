import type { ReactNode } from 'react';

interface Props {
  /** Something was lost or refused. */
  bad?: boolean;
  text: ReactNode;
  /** Buttons. */
  children?: ReactNode;
}

/** One line across the page; a screen reader says it when it appears. */
export function Notice({ bad, text, children }: Props) {
  return (
    <div className={bad ? 'banner pwa-notice pwa-bad' : 'banner pwa-notice'} role={bad ? 'alert' : 'status'}>
      <p>{text}</p>
      {children && <div className="pwa-actions">{children}</div>}
    </div>
  );
}
