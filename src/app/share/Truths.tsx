import { useWords } from '../words/index.ts';

/** What lending risks, beside the switch and before it is used. */
export function Risks() {
  const { share: words } = useWords();
  return (
    <section className="share-risks" aria-labelledby="share-risks">
      <h2 id="share-risks">{words.riskTitle}</h2>
      <ul className="share-list">
        {words.risks.map((risk) => (
          <li key={risk}>{risk}</li>
        ))}
      </ul>
    </section>
  );
}

export function WhenHidden() {
  const { share: words } = useWords();
  return (
    <section aria-labelledby="share-hidden">
      <h2 id="share-hidden">{words.hiddenTitle}</h2>
      <ul className="share-list">
        {words.hidden.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
    </section>
  );
}

/** All that others learn about this device, by whom. */
export function Leaves() {
  const { share: words } = useWords();
  return (
    <section aria-labelledby="share-leaves">
      <h2 id="share-leaves">{words.leavesTitle}</h2>
      <p>{words.leavesLead}</p>
      <dl className="share-leaves">
        {words.leaves.map(([who, what]) => (
          <div key={what}>
            <dt>{who}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p>{words.leavesNot}</p>
    </section>
  );
}
