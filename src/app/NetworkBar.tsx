import type { Membership } from '../sdk/index.ts';
import { PrivacyNote, RouteChoice } from './RouteChoice.tsx';
import { ShareNote, ShareSwitch } from './ShareSwitch.tsx';
import type { Settings } from './settings.ts';
import type { ShareStore } from './share-store.ts';

interface Props {
  membership: Membership;
  settings: Settings;
  share: ShareStore;
  onChange: (change: Partial<Settings>) => void;
}

/** One quiet row under the box: lend this device, choose a route, look at the network. */
export function NetworkBar({ membership, settings, share, onChange }: Props) {
  return (
    <section className="network-bar" aria-label="Sharing and route">
      <ShareNote membership={membership} share={share} />
      <PrivacyNote settings={settings} />
      <div className="network-controls">
        <ShareSwitch membership={membership} share={share} />
        <RouteChoice settings={settings} onChange={onChange} />
        <button type="button" className="quiet" popoverTarget="network">
          Network
        </button>
      </div>
    </section>
  );
}
