import { useState } from 'react';
import { useWords } from '../words/index.ts';

/** A long list in pages; the page stays within the list when this gets shorter. */
export function usePages<T>(all: readonly T[], size: number) {
  const [wanted, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(all.length / size));
  const page = Math.min(wanted, pages - 1);
  return { shown: all.slice(page * size, (page + 1) * size), page, pages, setPage };
}

interface Props {
  /** Name of what is paged. */
  of: string;
  page: number;
  pages: number;
  setPage: (page: number) => void;
}

export function Pager({ of, page, pages, setPage }: Props) {
  const { network } = useWords();
  if (pages < 2) return null;
  return (
    <div className="network-pager">
      <button
        type="button"
        className="quiet"
        aria-label={network.previousOf(of)}
        disabled={page === 0}
        onClick={() => setPage(page - 1)}
      >
        {network.previous}
      </button>
      <span className="hint" role="status">
        {network.page(page + 1, pages)}
      </span>
      <button
        type="button"
        className="quiet"
        aria-label={network.nextOf(of)}
        disabled={page === pages - 1}
        onClick={() => setPage(page + 1)}
      >
        {network.next}
      </button>
    </div>
  );
}
