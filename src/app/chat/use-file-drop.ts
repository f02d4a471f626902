import { type DragEvent, useMemo, useRef, useState } from 'react';

/** Files that are dropped anywhere on an element. What else is dropped goes where it was dropped. */
export function useFileDrop(onFiles: (files: readonly File[]) => void) {
  const [over, setOver] = useState(false);
  // The event comes for each element on the way: the drag is over when as many were left as entered.
  const depth = useRef(0);
  const handlers = useMemo(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');
    const show = (by: number) => {
      depth.current = Math.max(0, depth.current + by);
      setOver(depth.current > 0);
    };
    return {
      onDragEnter: (event: DragEvent) => hasFiles(event) && show(1),
      onDragLeave: (event: DragEvent) => hasFiles(event) && show(-1),
      onDragOver: (event: DragEvent) => hasFiles(event) && event.preventDefault(),
      onDrop: (event: DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        show(-depth.current);
        onFiles([...event.dataTransfer.files]);
      },
    };
  }, [onFiles]);
  return { over, handlers };
}
