interface Range {
  start: number;
  end: number;
}

/** `10 to 19` for `[10, 20)`: in words the last one is named. */
const range = ({ start, end }: Range) => (end - start === 1 ? `${start}` : `${start} to ${end - 1}`);
const layers = (one: Range) => `${one.end - one.start === 1 ? 'layer' : 'layers'} ${range(one)}`;
const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;

export const networkWords = {
  title: 'Network',
  intro: 'Who is here, what they hold, and how they reach each other.',

  // How it stands.
  joining: 'Joining the network…',
  looking: 'Looking at the network…',
  off: 'This tab has not joined the network.',
  offline: 'Neither a relay nor a peer can be reached. It is tried again by itself.',
  noInternet: 'This device is offline. It joins again by itself as soon as there is a connection.',
  relayGone:
    'The relay does not answer. You see what this tab sees by itself: those who lend, and those it is linked to. It is tried again by itself.',
  ownSight:
    'The relay’s picture is not to be had, so you see what this tab sees by itself: those who lend, and those it is linked to.',
  nobodyLends: 'Nobody lends anything yet. Be the first: hold some layers, and others can build on them.',
  relayGiven: (relay: string) => `Relay given by this page’s address: ${relay}`,

  summary: (peers: number, lending: number, links: number, running: number) =>
    `${count(peers, 'peer', 'peers')} in the network, ${lending === 0 ? 'none of them lends' : count(lending, 'of them lends', 'of them lend')} layers; ${count(links, 'link', 'links')} between them, ${count(running, 'session', 'sessions')} open now.`,
  nobody: 'No peer is known yet.',
  selfLends: (what: string) => `This tab lends ${what}.`,
  selfAsks: 'This tab lends nothing now.',

  // Numbers at the head.
  peers: 'peers',
  lending: 'lending',
  sessionsNow: 'sessions now',
  sessionsNote: 'A conversation has a session on each peer that computes a part of it.',
  rate: 'tokens a second',
  rateNote: 'About, by what peers that lend say they computed; prompts count as well.',
  unknown: '–',

  // The picture.
  picture: 'Picture of the network',
  pictureHelp:
    'Arrow keys go from peer to peer, with Shift they move the picture; plus and minus zoom, 0 shows everything, Home finds this tab, Escape lets go.',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  showAll: 'Show all',
  findMe: 'Find my node',
  findMeNot: 'This tab is not in the network yet.',
  wheel: 'Drag to move. Ctrl and the wheel, or two fingers, zoom.',
  notShown: (number: number) => `${count(number, 'more peer is', 'more peers are')} not drawn.`,

  legend: 'Legend',
  legendSelf: 'you',
  legendRelay: 'relay',
  legendHost: 'lends layers',
  legendClient: 'only asks',
  legendSessions: 'conversations running there',
  legendDirect: 'direct link',
  legendRelayed: 'through the relay',
  legendSocket: 'WebSocket to the relay',
  legendRoute: 'your last answer',

  groupHosts: (one: Range) => layers(one),
  groupOf: (model: string, one: Range) => `${model} · ${layers(one)}`,
  groupClients: (number: number) => `${number} only ask`,

  // A peer.
  self: 'this tab',
  relay: 'relay',
  kinds: {
    self: 'This tab',
    relay: 'Relay',
    host: 'Lends layers',
    client: 'Only asks',
  },
  card: 'Chosen peer',
  kind: 'Kind',
  layers: 'Layers',
  noLayers: 'none',
  held: (model: string, one: Range) => `${layers(one)} of ${model}`,
  heldOfOnly: (one: Range) => layers(one),
  sessions: 'Conversations now',
  path: 'Path from this tab',
  pathOfLink: 'Path',
  sessionsColumn: 'Sessions',
  trip: 'Round trip',
  links: 'Links',
  noLink: 'no link',
  unmeasured: 'not measured',
  close: 'Let go',
  /** Said aloud when the keys choose a peer. */
  chosen: (name: string, kind: string, what: string, sessions: number) =>
    `${name}, ${kind}, ${what}${sessions > 0 ? `, ${count(sessions, 'conversation', 'conversations')} now` : ''}`,
  paths: {
    direct: 'direct',
    relayed: 'through the relay',
    websocket: 'WebSocket',
    tcp: 'TCP',
    local: 'this tab',
    none: 'no link',
  },

  // Coverage.
  coverage: 'Who holds what',
  coverageNote: 'Every layer must be held by somebody, and by two to be safe.',
  coverageKey: 'What the colours mean',
  heldNone: '0, nobody',
  heldOne: '1, if it goes the model stops',
  heldMany: '2 or more, safe',
  heldClient: 'each tab that asks runs it itself',
  whole: 'The network can answer with it.',
  stopped: (ranges: readonly Range[]) =>
    `Nobody holds ${ranges.map(layers).join(', ')}: until somebody does, it cannot answer over the network.`,
  strip: (model: string) => `Layers of ${model}`,
  stripHelp: 'Arrow keys go from layer to layer.',
  layer: (layer: number, number: number) => `Layer ${layer}: ${count(number, 'peer', 'peers')}`,
  layerClient: (layer: number) => `Layer ${layer}: 0 peers, each tab that asks runs it itself`,
  layerOwn: 'you among them',
  table: 'In words',
  holders: (model: string) => `Holders of the layers of ${model}`,
  howMany: 'How many',
  heldBy: 'Held by',
  nobodyHolds: 'nobody',
  eachItself: 'each tab that asks, itself',
  more: (number: number) => `and ${number} more`,
  range,
  noModels: 'The relay names no model.',

  // Hold what is missing.
  hold: 'Hold what is missing',
  holdMissing: (model: string, one: Range) => `Nobody holds ${layers(one)} of ${model}.`,
  holdThin: (model: string, one: Range) =>
    `Only one peer holds ${layers(one)} of ${model}. A second one makes it safe.`,
  holdCost: (bytes: string) => `Your device would fetch about ${bytes} and lend it.`,
  holdUnknownCost: 'Your device would fetch them and lend them.',
  nothingMissing: 'Nothing is missing: at least two peers hold every layer.',
  noModelToHold: 'No model is known yet, so it cannot be said what is missing.',
  notJoined: 'This tab is not in the network, so it cannot lend.',
  lendsAlready: (what: string) => `This device lends ${what} already.`,
  preparing: (what: string) => `Getting ready to lend ${what}`,
  preparingAny: 'Getting ready to lend',
  holds: (what: string) => `This device holds ${what} now. Thank you.`,
  held0: 'Sharing did not begin.',
  waits: 'Sharing is switched on, and begins as soon as your limits allow it. They are in the Share view.',
  openShare: 'Open Share',

  // Tables.
  peersTable: 'Peers',
  peer: 'Peer',
  linksTable: 'Who is linked to whom',
  from: 'From',
  to: 'To',
  noLinks: 'No links between peers are known now.',
  traffic: (bytesIn: string, bytesOut: string) => `${bytesIn} in, ${bytesOut} out`,
  page: (page: number, pages: number) => `Page ${page} of ${pages}`,
  previous: 'Previous',
  next: 'Next',
  previousOf: (table: string) => `Previous page of ${table}`,
  nextOf: (table: string) => `Next page of ${table}`,
};
