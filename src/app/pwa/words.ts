export const pwaWords = {
  offline: 'You are offline.',
  /** The model is in this tab. */
  offlineAnswers: 'Answers come from this tab, and the network is joined again by itself.',
  offlineWaits: 'The model is not here yet; its download can go on when the connection is back.',
  newer: 'A newer version of this page is ready.',
  reload: 'Reload',
  reloading: 'Reloading…',
  busyTitle: 'Reload now?',
  busy: 'An answer is being written. A reload stops it; what is written so far is kept, and can be continued.',
  busyReload: 'Stop and reload',
  busyWait: 'Not now',
  otherVersions: (peers: number) =>
    peers === 1
      ? 'One peer of the network runs another version of Shoal. The two of you cannot compute together.'
      : `${peers} peers of the network run another version of Shoal. You cannot compute with them.`,
  otherVersionsNext: 'If they are newer, a reload brings this page up to date.',
  storageLost: 'What this browser kept for Shoal was deleted: chats, settings and models.',
  storageLostNext: 'This tab goes on with what it has. Export the chat if you want to keep it.',
  tooLarge:
    'What was shared is more than this page takes at once: 8 files, 4 GB, and a million characters of text. Nothing of it was taken.',
  noRoom:
    'There was no room on this device to take the files that were shared. Free some, and share them again.',
  install: 'Shoal can be installed: it opens in a window of its own, also without a network.',
  installNow: 'Install',
  dismiss: 'Dismiss',
};
