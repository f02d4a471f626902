export const settingsWords = {
  saved: 'Saved',

  answers: {
    title: 'Answers',
    hint: 'For every chat that has no options of its own, from the next answer on.',
    temperature: 'Temperature',
    temperatureHint: '0 always takes the likeliest word; higher is more varied.',
    topP: 'Top-p',
    topPHint: 'Words are chosen among the likeliest that make up this share; 1 leaves none out.',
    maxTokens: 'Longest answer, in tokens',
    reset: 'Back to the defaults',
  },

  privacy: {
    title: 'Privacy and route',
    route: 'Where answers come from',
    routes: {
      auto: 'This tab, and the network where it cannot',
      local: 'This tab only',
      network: 'The network',
    },
    mode: 'On the network',
    modes: { private: 'Private', light: 'Light' },
    how: 'How, and what else leaves this tab',
    whileLoading: 'A question that comes while this tab’s own model is still on its way',
    whileLoadings: {
      ask: 'Asks each time',
      network: 'Is answered over the network',
      wait: 'Waits for this tab',
    },
    whileLoadingHint: 'Over the network it is answered sooner, and in the mode above.',
    toldAgain: 'Tell me again who could read what',
    toldAgainHint: 'Before the next question over the network.',
    toldAgainDone: 'It will be told before the next question over the network.',
    localNote: 'What this tab answers by itself is sent to nobody.',
  },

  relays: {
    title: 'Relays',
    hint: 'A relay gives this page its models and lets tabs find each other. It sees the addresses of those who join, and may lend layers like any other peer.',
    own: 'The page’s own relay is used.',
    named: (relay: string) =>
      `The page’s address names ${relay}. That is used instead of this list until the page is opened without it.`,
    list: 'Relays to join',
    models: 'models come from here',
    remove: (relay: string) => `Remove ${relay}`,
    useOwn: 'Use the page’s own',
    address: 'Address of a relay',
    addressHint: 'https://relay.example.org, or a multiaddr.',
    add: 'Check and add',
    checking: 'Checking…',
    cancel: 'Cancel',
    addAnyway: 'Add it all the same',
    added: (relay: string) => `${relay} was added.`,
    problems: {
      'not-an-address':
        'This is no address of a relay. Write it as https://relay.example.org, or as a multiaddr with /p2p/ and a peer id.',
      known: 'This relay is in the list already.',
      'too-many': (most: number) => `At most ${most} relays are joined. Remove one first.`,
      blocked: 'This page came over https, and browsers let such a page reach only relays over https.',
      silent: (relay: string) => `${relay} does not answer. Is it running, and is the address right?`,
      'no-relay': (relay: string) =>
        `Something answers at ${relay}, but it is no Shoal relay that can be joined.`,
    },
    unchecked: (relay: string) => `${relay} was added. A multiaddr is tried when the page joins.`,
    reload: 'Other relays are joined after a reload.',
    reloadNow: 'Reload now',
  },

  storage: {
    title: 'Storage',
    loading: 'Looking at what is kept',
    models: 'Models kept in this browser',
    noModels: 'No model is kept in this browser.',
    kept: (kept: string, of: string) => (kept === of ? kept : `${kept} of ${of}`),
    remove: (name: string) => `Delete the model ${name}`,
    delete: 'Delete',
    removeTitle: 'Delete this model?',
    removeText: (name: string, bytes: string) =>
      `${name} is deleted from this browser, which frees ${bytes}. It is downloaded again when it is next chosen.`,
    removeFileText: (name: string, bytes: string) =>
      `${name} is deleted from this browser, which frees ${bytes}. It came from a file of yours: to use it again, open that file.`,
    inMemory:
      'This browser keeps nothing here (a private window, or a page without https). Models are gone when the tab closes.',
    used: 'Space used',
    usedOf: (used: string, quota: string) => `${used} of the ${quota} that this browser allows`,
    persisted: 'The browser has promised not to delete this by itself.',
    notPersisted: 'The browser may delete this by itself when the disk is full.',
    persist: 'Ask it to keep it',
    persistRefused:
      'The browser did not promise it. Installing the page or using it more often may change that.',
    conversations: (count: number) =>
      count === 1 ? '1 conversation is kept.' : `${count} conversations are kept.`,
    retry: 'Try again',
  },

  appearance: {
    title: 'Appearance',
    theme: 'Colours',
    themes: { system: 'As the device', light: 'Light', dark: 'Dark' },
    motion: 'Motion',
    motions: { system: 'As the device', less: 'None' },
    textSize: 'Text',
    textSizes: { normal: 'Normal', large: 'Large' },
  },

  language: {
    title: 'Language',
    label: 'Language of the page',
    system: (name: string) => `As the browser (${name})`,
    hint: 'The model answers in whatever language it is asked in, as well as it can.',
  },

  notifications: {
    title: 'Notifications',
    label: 'Tell me when a long answer is done',
    hint: 'Only when this tab is hidden and the answer took longer than ten seconds. The browser asks for leave first.',
    refused:
      'The browser does not allow notifications for this page. Allow them in the browser’s settings for this site, then switch this on again.',
    missing: 'This browser has no notifications for pages.',
  },

  install: {
    title: 'App',
    install: 'Install Shoal',
    hint: 'Its own window and icon on this device. Nothing else changes.',
    installed: 'Shoal runs as an app on this device.',
    notOffered:
      'This browser does not offer to install the page here, or it is installed already. Its menu may have an entry for it.',
    offlineReady:
      'The page is kept in this browser and opens without a network. A model that is kept whole answers without one as well.',
    notOffline: 'The page is not kept for opening without a network yet.',
  },

  data: {
    title: 'Your data',
    hint: 'Conversations, settings and models are in this browser only.',
    export: 'Export everything',
    exportHint: 'One file with the settings and all conversations. Models are not in it.',
    import: 'Import…',
    importHint: 'Such a file, or exported conversations. What is here already stays.',
    importFile: 'File to import',
    working: 'Working',
    imported: 'The settings of the file hold now.',
    problems: {
      'too-large': 'The file is larger than 64 MB. Export the conversations one by one instead.',
      'no-json': 'This is no file that was exported here: it is no JSON. Choose one that ends in .json.',
      'no-backup':
        'This file was not exported here. Choose one made by “Export everything” or by the export of conversations.',
    },
    failed: (why: string) => `It did not work: ${why}`,
    wipe: 'Delete everything…',
    wipeHint: 'Conversations, settings, models, and the page kept for offline use.',
    wipeTitle: 'Delete everything?',
    wipeText:
      'All conversations, settings and models of Shoal are deleted from this browser, and what this device lends is withdrawn. Nothing can be brought back. Other tabs of Shoal end as well.',
    wipeWord: 'delete',
    wipeConfirm: (word: string) => `Write “${word}” to confirm`,
    wipeAction: 'Delete everything',
    wipeExportFirst: 'Export first',
    cancel: 'Cancel',
    wiping: 'Deleting',
    wipedTitle: 'Everything is deleted',
    wiped: 'Nothing of Shoal is kept in this browser any more. Close the tab, or start anew.',
    wipedElsewhere: 'Everything of Shoal was deleted in another tab. Close this one, or start anew.',
    leftTitle: 'Not everything could be deleted',
    left: (what: string) =>
      `Left over: ${what}. Close all other tabs of Shoal and try again, or clear this site’s data in the browser’s settings.`,
    leftNames: {
      caches: 'the page kept for offline use',
      databases: 'conversations',
      files: 'models',
      settings: 'settings',
      worker: 'the service worker',
    },
    again: 'Try again',
    startAnew: 'Start anew',
  },

  about: {
    title: 'About',
    version: (version: string) => `Shoal ${version}`,
    text: 'Language models that run in browser tabs, together. Free software under the MIT licence; models have licences of their own, which the model picker names.',
    docs: 'The source and its documentation (README.md and the folder docs) come with every relay.',
    status: 'State of this page’s relay',
  },
};
