/** Chromium's event, which no standard has taken up yet. */
interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

/** The browser's own offer to install, kept until the page shows a button for it. */
export class InstallOffer {
  #prompt: InstallPrompt | null = null;

  /** @param onChange takes whether there is an offer */
  constructor(private readonly onChange: (offered: boolean) => void) {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.#prompt = event as InstallPrompt;
      onChange(true);
    });
    addEventListener('appinstalled', () => this.#withdraw());
  }

  async take(): Promise<boolean> {
    const prompt = this.#prompt;
    if (!prompt) return false;
    // An offer can be used once; after a refusal the browser makes another when it thinks fit.
    this.#withdraw();
    const { outcome } = await prompt.prompt();
    return outcome === 'accepted';
  }

  #withdraw(): void {
    this.#prompt = null;
    this.onChange(false);
  }
}
