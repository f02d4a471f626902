/** Held while the browser's dialog is open: an element that nothing refers to may be collected with it. */
let asked: HTMLInputElement | null = null;

/** Has the browser ask for files. @param accept as of an `input`, '' for any */
export function pickFiles(accept: string, onPicked: (files: File[]) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = accept;
  input.addEventListener('change', () => {
    onPicked([...(input.files ?? [])]);
    asked = null;
  });
  asked = input;
  asked.click();
}
