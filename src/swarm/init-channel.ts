/**
 * @libp2p/webrtc 6.0.33 lets 5–30 % of fast dials hang for 6 s. The dialling side makes a data channel `init`, waits
 * for its `open`, closes it and waits for its `close`. The answering side closes that channel as soon as it sees it, so
 * both events may have passed before anyone waits. This makes such a channel look open until it is closed here, and
 * tells of the close once more when it had happened.
 *
 * The prototype is changed, because the package takes hold of `RTCPeerConnection` when it is loaded. No other channel
 * is touched.
 */
export function mendInitChannel(): void {
  const prototype = owner(globalThis.RTCPeerConnection?.prototype);
  if (!prototype || mended.has(prototype)) return;
  mended.add(prototype);
  const create = prototype.createDataChannel;
  prototype.createDataChannel = function (label, options) {
    const channel = create.call(this, label, options);
    if (label === 'init') mend(channel);
    return channel;
  };
}

const mended = new WeakSet<object>();

/** The browser's own prototype, also when somebody put a class of theirs before it. */
function owner(prototype: RTCPeerConnection | undefined): RTCPeerConnection | null {
  let at: RTCPeerConnection | null = prototype ?? null;
  while (at && !Object.hasOwn(at, 'createDataChannel')) at = Object.getPrototypeOf(at);
  return at;
}

function mend(channel: RTCDataChannel): void {
  const state = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'readyState')!;
  const real = (): RTCDataChannelState => state.get!.call(channel);
  let opened = false;
  let closedHere = false;
  Object.defineProperty(channel, 'readyState', {
    get: () => (!closedHere && (real() === 'closing' || real() === 'closed') ? 'open' : real()),
  });
  channel.addEventListener('open', () => {
    opened = true;
  });
  // The other side closed it before it opened here: who waits for `open` may go on.
  const openLate = () => {
    if (!opened && !closedHere) channel.dispatchEvent(new Event('open'));
  };
  channel.addEventListener('closing', openLate);
  channel.addEventListener('close', openLate);
  channel.close = () => {
    closedHere = true;
    RTCDataChannel.prototype.close.call(channel);
    // Nothing would ever tell of it; the caller begins to wait in this same task.
    if (real() === 'closed') queueMicrotask(() => channel.dispatchEvent(new Event('close')));
  };
}
