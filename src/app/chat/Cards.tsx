import type { OpenModel } from '../side/use-open-model.ts';
import { ModelCard } from './ModelCard.tsx';
import { NotifyOffer } from './NotifyOffer.tsx';
import { Trouble } from './Trouble.tsx';
import { type LoadingChoice, WhileLoading } from './WhileLoading.tsx';

interface Props {
  file: OpenModel;
  choice: LoadingChoice;
  onChoice: (choice: LoadingChoice) => void;
}

/** What stands in the way of an answer, or is on its way, each with what to do. Mostly there is nothing. */
export function Cards({ file, choice, onChoice }: Props) {
  return (
    <div className="chat-cards">
      <Trouble />
      <ModelCard file={file} />
      <WhileLoading choice={choice} onChoice={onChoice} />
      <NotifyOffer />
    </div>
  );
}
