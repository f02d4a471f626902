const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

export const happenedWords = {
  line: {
    here: 'in this tab',
    hereAsPeer: 'in this tab, as its own peer',
    network: 'over the network',
    overPeers: (peers: number, relayed: number, own: boolean) =>
      `over ${plural(peers, 'peer', 'peers')}${own ? ' and this tab' : ''}${relayed > 0 ? `, ${relayed} relayed` : ''}`,
    lostGpu: 'continued after a lost GPU',
    perToken: (compute: string, wire: string) => `compute ${compute} + wire ${wire} per token`,
    recoveries: (count: number) => plural(count, 'recovery', 'recoveries'),
    light: 'light privacy',
  },
  /** Tells what the button opens; the line itself is its name. */
  opens: 'What happened',
  loading: 'Loading the timeline…',
  notLoaded: 'The timeline could not be fetched. Check the connection, close this, and open it again.',

  timeline: {
    label: 'What happened during this answer',
    /** `Most of the time, 82 %, went to …` */
    most: (percent: number, part: string) =>
      percent > 50
        ? `Most of the time, ${percent}\u00a0%, went to ${part}.`
        : `The largest part of the time, ${percent}\u00a0%, went to ${part}.`,
    parts: {
      opening: 'getting ready: the model, or the way to the peers',
      own: 'computing in this tab',
      hops: 'computing on the peers',
      wire: 'the way between the peers',
      pause: 'replacing what was lost',
      rest: 'other work in this tab, choosing the words for one',
    },
    firstToken: (time: string) => `The first token came after ${time}.`,
    slowest: (hop: string, time: string) => `The slowest was ${hop}, with ${time} per token.`,
    lost: (what: string, reason: string) => `${what} was lost: ${reason.replace(/[.]?$/, '.')}`,
    recovered: (pause: string, replayed: number) =>
      `Somebody else went on after ${pause}; ${plural(replayed, 'position was', 'positions were')} computed again.`,
    by: (prompt: string, answer: string, model: string) => `${model} read ${prompt} and wrote ${answer}.`,
    count: (count: number) => plural(count, 'token', 'tokens'),
    shortened: (shown: number, all: number) =>
      `The steps of the first ${shown} of ${all} tokens were kept; the rest is in the sums only.`,
    none: 'The single steps of this answer were not kept.',
    sums: (compute: string, wire: string) => `In all, ${compute} of computing and ${wire} on the way.`,
    picture: 'When each part was busy: the higher, the busier. The same is in the table below.',
    phases: { opening: 'Getting ready', prefill: 'Reading', tokens: 'Writing', pause: 'Interrupted' },
    phase: (name: string, time: string) => `${name} ${time}`,
    lossMark: 'Lost',
    own: 'This tab',
    ownBackend: (backend: string) => `This tab (${backend})`,
    hop: (name: string, peer: string, layers: string) => `${name} (${peer}), ${layers}`,
    hopOfTab: (name: string, layers: string) => `${name} (this tab), ${layers}`,
    hopShort: (index: number) => `Peer ${index}`,
    relayed: 'relayed',
    wire: 'On the way',
    gpu: 'This tab’s GPU',
    peer: (peer: string, layers: string) => `Peer ${peer} with ${layers}`,
    step: 'Step',
    stepOpened: (time: string) => `Getting ready took ${time}.`,
    stepPrefill: (positions: number, time: string) =>
      `Reading ${plural(positions, 'token', 'tokens')} took ${time}`,
    stepToken: (index: number, time: string) => `Token ${index} took ${time}`,
    stepParts: (step: string, parts: readonly string[]) =>
      parts.length === 0 ? `${step}.` : `${step}: ${parts.join(', ')}.`,
    stepPart: (name: string, time: string) => `${name} ${time}`,
    stepLost: (what: string) => `${what} was lost.`,
    stepRecovered: (time: string) => `Somebody else goes on, after ${time}.`,
    asTable: 'As a table',
    table: 'Steps of this answer',
    columns: { at: 'At', what: 'What', took: 'Took' },
    rowTokens: (from: number, to: number) => (from === to ? `Token ${from}` : `Tokens ${from} to ${to}`),
    rowPrefill: (positions: number) => `Reading ${plural(positions, 'token', 'tokens')}`,
    rowOpened: 'Getting ready',
    rowLost: (what: string) => `Lost: ${what}`,
    rowRecovered: (replayed: number) =>
      `Replaced, ${plural(replayed, 'position', 'positions')} computed again`,
    summed: 'Rows of several tokens hold their sums.',
  },

  note: {
    local: 'Answered in this tab: nothing that you write leaves it.',
    private:
      'Private: over the network, peers get hidden states instead of words, but one who tries can recover a part of the text, or all of it, from them.',
    light:
      'Light: over the network, the first and the last peer can read the conversation, and this device computes nothing.',
    /** Once the sentence was read. */
    toldPrivate:
      'Private: peers get hidden states, from which a part of the text, or all of it, can be recovered.',
    toldLight: 'Light: the first and the last peer can read the conversation.',
    perhaps: (sentence: string) => `This tab or peers may answer. ${sentence}`,
    how: 'How, and what else leaves this tab',
    more: 'How, and what else',
  },

  privacy: {
    title: 'Who can read what',
    here: 'In this tab',
    hereText: 'The model runs here. Your words, the model’s words and your history stay in this browser.',
    private: 'Over the network, private',
    privateText:
      'This tab turns your words into numbers, runs the first two layers of the model, and sends what comes out, the hidden states, to the first peer. Each peer runs its layers on what the one before it sends. The last sends its output back, and this tab chooses the next word. Your words, the model’s words and their token numbers never leave this tab.',
    inversion:
      'But hidden states are made of those words. Somebody who has the model, as every peer has in part, can search for the words that give the same states. Researchers got back most of a text from deep layers of a large model, and nearly all of it in other settings; after two layers it is easier still. Noise that would stop it would also change the answers. So take private as: nobody reads along by chance. Who means to read can.',
    light: 'Over the network, light',
    lightText:
      'This tab computes nothing. The first peer gets the token numbers of the whole conversation, which are words in another spelling, and the last one chooses the words of the answer. Both can read, as the owner of a server could. Peers between them get hidden states, and how words are chosen: temperature and the like.',
    always: 'What others see in every mode, while this page is open',
    alwaysText: [
      'The relay and every peer that is linked to this tab: your IP address, an id that is new each time the page is loaded, and the version of this page. The relay, as any site, also your browser’s name and version.',
      'The peers of a chain: which model is asked, when, how many tokens the question and the answer have, and who the other peers beside them are.',
      'The relay: which files of the page and of models were fetched, who looks for which model, and who is linked to whom. What it passes on between peers is encrypted for them. It gives you this page, so it must be one that you trust.',
      'Peers can answer wrongly. The form of their numbers is checked, not their truth.',
    ],
    never: 'What never leaves this browser',
    neverText:
      'The list of your conversations, drafts and settings. Attached files leave only as part of a question, as its words do. Nothing is asked of anybody but relays and peers, and the addresses of links only when you open them.',
  },
};
