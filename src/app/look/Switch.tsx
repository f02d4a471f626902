import type { ReactNode } from 'react';
import { useId } from 'react';

interface Props {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  /** What it means or costs, below the label. */
  children?: ReactNode;
}

export function Switch({ label, checked, onChange, disabled, children }: Props) {
  const note = useId();
  return (
    <label className="switch-row">
      <input
        type="checkbox"
        role="switch"
        aria-label={label}
        aria-checked={checked}
        aria-describedby={children ? note : undefined}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {label}
        {children && <small id={note}>{children}</small>}
      </span>
    </label>
  );
}
