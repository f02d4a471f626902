import type { RefObject } from 'react';

interface Props {
  /** To open it with: a button of one's own clicks it. */
  input: RefObject<HTMLInputElement | null>;
  label: string;
  accept?: string;
  multiple?: boolean;
  /** Never called without a file. */
  onPick: (files: File[]) => void;
}

/** The browser's choice of files, without the look of it. */
export function FilePicker({ input, label, accept, multiple, onPick }: Props) {
  return (
    <input
      ref={input}
      type="file"
      className="visually-hidden"
      aria-label={label}
      tabIndex={-1}
      accept={accept}
      multiple={multiple}
      onChange={(event) => {
        const files = [...(event.currentTarget.files ?? [])];
        // The same file may be picked again after it was mended.
        event.currentTarget.value = '';
        if (files.length > 0) onPick(files);
      }}
    />
  );
}
