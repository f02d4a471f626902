import { useWords } from '../words/index.ts';
import { AboutSection } from './AboutSection.tsx';
import { AnswersSection } from './AnswersSection.tsx';
import { AppearanceSection } from './AppearanceSection.tsx';
import { DataSection } from './DataSection.tsx';
import { InstallSection } from './InstallSection.tsx';
import { NotificationsSection } from './NotificationsSection.tsx';
import { PrivacySection } from './PrivacySection.tsx';
import { RelaysSection } from './RelaysSection.tsx';
import { StorageSection } from './StorageSection.tsx';
import { SavedProvider } from './saved.tsx';
import './settings.css';

/** Everything that holds for all chats, what this browser keeps, and the way to take it along or away. */
export function SettingsView() {
  const { shell } = useWords();
  return (
    <SavedProvider>
      <div className="page settings">
        <h1>{shell.views.settings}</h1>
        <AnswersSection />
        <PrivacySection />
        <RelaysSection />
        <StorageSection />
        <AppearanceSection />
        <NotificationsSection />
        <InstallSection />
        <DataSection />
        <AboutSection />
      </div>
    </SavedProvider>
  );
}
