import type { Hold } from './types.ts';

const plural = (count: number, one: string, more: string) => `${count} ${count === 1 ? one : more}`;

export const shareWords = {
  lead: 'Lend a part of this device, and larger models answer for everybody.',
  switch: 'Share this device',
  status: 'Sharing',
  now: {
    off: 'Off. Nothing of this device is lent.',
    preparing: 'Getting ready',
    sharing: 'Sharing',
    paused: 'Paused',
    draining: 'Stopping',
    failed: 'Not shared',
    waiting: 'Waiting',
  },
  /** After the state, why nobody new is taken. */
  hold: {
    paused: 'Nobody new is taken until you resume.',
    hours: 'It is outside the hours that you set; it goes on by itself.',
    battery: 'This device runs on its battery; it goes on when it charges.',
    'in-use': 'Somebody uses this device; it goes on after five minutes without input.',
  } satisfies Record<Hold, string>,
  finishing: 'What runs is finished; nobody new is taken.',
  serving: (count: number) =>
    count === 0 ? 'Nobody asks right now.' : `${plural(count, 'conversation', 'conversations')} right now.`,
  holds: (layers: string) => `Holds ${layers}.`,
  helpedToday: (conversations: number, tokens: string) =>
    `Today it helped in ${plural(conversations, 'conversation', 'conversations')}, with ${tokens} tokens of answers.`,
  progress: (detail: string) => `To share: ${detail}`,
  bytesOf: (done: string, total: string) => `${done} of ${total}`,
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  finish: 'Finish what runs, then stop',
  stop: 'Stop at once',
  finishHint:
    'Finishing takes five minutes at most. After “stop at once”, those it helped go on elsewhere with the same text.',
  again: 'Try again',
  tryAgainByItself: 'It is tried again by itself.',
  freeSpace: 'Free some space in Settings',
  reload: 'Reload the page',
  dismiss: 'Leave it off',
  failed: 'Nothing could be shared.',

  strip: (layers: string, total: number) => `${layers} of ${total}`,
  model: 'Model',
  layers: 'Layers',
  layersOf: (range: string, total: number) => `${range}, of 0 to ${total - 1}`,
  layersAll: (total: number) => `all ${total}`,
  backend: 'Runs on',
  notLoaded: 'not loaded yet',
  memory: 'Memory',
  memoryOf: (taken: string, limit: string) => `${taken} of ${limit}`,
  megabytes: (megabytes: number) => (megabytes >= 1024 ? `${megabytes / 1024} GB` : `${megabytes} MB`),

  helpedTitle: 'What it did for others',
  helpedCaption: 'Kept on this device only',
  today: 'Today',
  all: (since: string) => `Since ${since}`,
  tokens: 'Tokens of answers',
  positions: 'Tokens in all, with prompts',
  conversations: 'Conversations',
  peers: 'Peers helped',
  compute: 'Engine time',
  lent: 'Time lent',
  bytes: 'Sent and received',
  peersHint: 'A page that is loaded again is another peer. Your own chats are not counted.',
  duration: (ms: number) => {
    const seconds = ms / 1000;
    if (seconds === 0) return '0 s';
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  },
  energy: 'Energy, estimated',
  carbon: 'CO₂, estimated',
  wattHours: (value: number) => {
    if (value === 0) return '0 Wh';
    if (value < 0.01) return 'under 0.01 Wh';
    return value < 1000
      ? `${value < 10 ? value.toFixed(2) : value.toFixed(0)} Wh`
      : `${(value / 1000).toFixed(1)} kWh`;
  },
  grams: (value: number) => {
    if (value === 0) return '0 g';
    if (value < 0.01) return 'under 0.01 g';
    return value < 1000
      ? `${value < 10 ? value.toFixed(2) : value.toFixed(0)} g`
      : `${(value / 1000).toFixed(1)} kg`;
  },
  energyTitle: 'How energy is estimated',
  energyHow:
    'Engine time × watts, and that × the CO₂ of the electricity. It leaves out the screen, the network and the making of the device.',
  watts: 'Watts while it computes',
  wattsHint: (backend: string, watts: number) =>
    `${watts} W is usual for ${backend} on a laptop; a graphics card takes ten times as much.`,
  cpu: 'a processor',
  gpu: 'a GPU',
  grid: 'Grams of CO₂ per kWh',
  gridHint:
    '473 g is the world’s average of 2024 (Ember, Global Electricity Review 2025). Hydro and nuclear power are below 50, coal is above 800.',
  wrongNumber: (least: number, most: number) => `Give a number from ${least} to ${most}.`,
  usual: 'Back to the usual values',

  limitsTitle: 'When and how much',
  limitsHint: 'It computes for others when all of these hold. They take effect at once.',
  power: 'Power',
  powers: {
    light: { name: 'Light', means: 'computes a quarter of the time; you should not notice it' },
    medium: { name: 'Medium', means: 'computes six tenths of the time' },
    full: { name: 'Full', means: 'as fast as it can; it may get warm and loud' },
  },
  powerHint: 'Your own chats are never slowed down by this, and answers are the same at any power.',
  memoryLimit: 'Memory for others',
  memoryLimitHint:
    'Half is for layers, half for the conversations of those who come. More memory holds more layers when sharing starts anew.',
  memoryLarge: 'That is more than half of this device’s memory: the browser may close the tab.',
  someHours: 'Only at certain hours',
  hours: 'Hours',
  from: 'From',
  to: 'To',
  hour: (hour: number) => `${String(hour).padStart(2, '0')}:00`,
  hoursHint: 'By this device’s clock. From 22:00 to 06:00 goes over midnight.',
  onPower: 'Only while it charges',
  onPowerUnknown: 'This browser does not tell a page about the battery, so this changes nothing here.',
  onPowerKnown: (charging: boolean) => (charging ? 'It charges now.' : 'It runs on its battery now.'),
  whenIdle: 'Only when nobody uses it',
  idleOfPage:
    'After five minutes without a key, a touch or a movement in this page. Other programs are not seen.',
  idleOfDevice: 'After five minutes without input, in this page and on the whole device.',
  askIdle: 'Look at the whole device',
  askedIdle: 'The browser did not give leave, so only this page is looked at.',
  wakeLock: 'Keep the screen on',
  wakeLockHint:
    'While it shares and this tab is seen, so that the device does not go to sleep. It costs power, and the device does not lock itself.',
  wakeLockNone: 'This browser cannot do that.',
  wakeLockHeld: 'The screen is kept on now.',

  hiddenTitle: 'When this tab is hidden',
  hidden: [
    'Sharing goes on in a hidden tab of a desktop browser: in Chromium, links and computing kept their speed over six minutes, and only timers fell to one a second.',
    'An iPhone or iPad stops a hidden tab, and other phones may: keep it in front, with the screen on.',
    'A tab that is closed, or stopped by the system, is missed within seconds. Those it helped go on elsewhere with the same text.',
    'A browser that runs out of memory closes hidden tabs first: lend less than you can spare.',
  ],

  leavesTitle: 'What others learn about this device',
  leavesLead: 'Sharing needs no account and no name. This is all that leaves:',
  leaves: [
    [
      'To the relay and to every peer that is linked to this tab',
      'your IP address, as to any site that you visit',
    ],
    [
      'To the relay',
      'which parts of the model you fetched; a record with your peer id, the layers you lend, and where your tab is reached. It is gone when you stop, pause or leave, and after 30 minutes at the latest',
    ],
    [
      'To any peer that asks',
      'your peer id (new each time the page is loaded), the model and layers, what is loaded and how long that took, the back end and its arithmetic, how fast it is, the most tokens of a conversation, free room, how many conversations are open, how many tokens it computed (your own chats among them when they run on what you lend), and whether it is stopping; which peers this tab is linked to, whether directly or by a relay, and the round trip of each link',
    ],
    ['To every linked peer', 'the version of this page'],
    [
      'To anybody who looks at the relay',
      'its picture of the network: a part of your peer id, the layers, conversations, links and round trips, without addresses',
    ],
  ] as [who: string, what: string][],
  leavesNot:
    'What you type, your chats, files and settings are not among it. The totals on this page stay here.',

  riskTitle: 'The risks, plainly',
  risks: [
    'Other people’s conversations pass through this device as rows of numbers (hidden states). Out of them a part of the text can be guessed. With people in light mode, the first layers get their words as token ids and the last ones choose the answer’s.',
    'This device computes numbers for strangers. It runs no code of theirs.',
    'Nobody is checked yet: a peer may send nonsense or compute wrongly, and nothing but the form of its numbers is looked at.',
    'It takes power, memory and traffic, within the limits below. You can stop at any time.',
  ],
};
