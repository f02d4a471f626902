import { connect } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { peerIn, reasonOf } from './ask.ts';
import { type Check, type DoctorContext, type Finding, fail, ok, warn } from './types.ts';

/** A TCP connection takes a round trip. Milliseconds. */
const CONNECT_MS = 5_000;

export const publicUrl: Check = {
  name: 'Public address',
  run: async ({ config: { url }, ask, ownPeer, running }) => {
    if (url === null) return [ok('`url` is not set: people open the address on which the relay listens.')];
    const asked = await ask(networkOf(url));
    if (!asked.answered) {
      if (!(await running()))
        return [
          warn(`${url} does not answer: ${asked.why}.`, 'No relay runs here yet. Start it and look again.'),
        ];
      return [
        fail(
          `The relay runs, but ${url} does not answer from here: ${asked.why}.`,
          'Check the name (DNS), the firewall, and the proxy in front. Some routers do not lead their own network back in: look from elsewhere as well.',
        ),
      ];
    }
    const [peer, own] = [peerIn(asked), await ownPeer()];
    if (peer === null)
      return [
        fail(
          `${url} answers with status ${asked.status}, but not as a relay.`,
          'Let the proxy pass every path on, and WebSockets with them.',
        ),
      ];
    if (own !== null && peer !== own)
      return [fail(`${url} is another relay, ${peer.slice(-8)}.`, 'Correct `url` or `data`.')];
    return [ok(`${url} leads here, as seen from this machine; others may see it differently.`)];
  },
};

export const joined: Check = {
  name: 'Relays to join',
  run: async (context) => {
    const targets = context.config.network.join;
    if (targets.length === 0) return [ok('None.')];
    return Promise.all(targets.map((target) => lookAt(target, context)));
  },
};

async function lookAt(target: string, context: DoctorContext): Promise<Omit<Finding, 'name'>> {
  const correct = 'Check the address in network.join; the relay goes on trying.';
  const own = await context.ownPeer();
  if (target.startsWith('/')) {
    if (own !== null && target.endsWith(`/p2p/${own}`)) return itself(target);
    const place = tcpPlaceOf(target);
    if (!place) return ok(`${target} has no TCP in it: it is tried by the relay itself.`);
    const why = await whyNoConnection(place, context.signal);
    if (why === null) return ok(`${place.host}:${place.port} takes connections.`);
    return warn(`${place.host}:${place.port} does not answer: ${why}.`, correct);
  }
  const asked = await context.ask(networkOf(target));
  if (!asked.answered) return warn(`${target} does not answer: ${asked.why}.`, correct);
  const peer = peerIn(asked);
  if (peer === null)
    return warn(`${target} answers with status ${asked.status}, but not as a relay.`, correct);
  return own !== null && peer === own ? itself(target) : ok(`${target} is the relay ${peer.slice(-8)}.`);
}

function itself(target: string) {
  return warn(`${target} is this relay itself.`, 'Take it out of network.join.');
}

export const clock: Check = {
  name: 'Clock',
  run: async ({ config, ask }) => {
    const urls = [config.url, ...config.network.join].filter((one) => one?.startsWith('http'));
    const asked = await Promise.all(urls.map((url) => ask(networkOf(url!))));
    const away = asked.flatMap((one) => (one.answered && one.clockAhead !== null ? [one.clockAhead] : []));
    if (away.length === 0) return [ok('Not compared: there is no other machine to ask.')];
    // The nearest one: a single server with a wrong clock says nothing about ours.
    const least = away.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a));
    const seconds = Math.round(Math.abs(least));
    const seen = `${seconds} s ${least > 0 ? 'behind' : 'ahead of'} the others.`;
    const todo =
      'Let the machine keep time (timedatectl set-ntp true): certificates and records depend on it.';
    // A minute is what signed records and authorities bear; an hour breaks certificates of today.
    return [
      seconds > 3600
        ? fail(seen, todo)
        : seconds > 60
          ? warn(seen, todo)
          : ok(`Within ${seconds + 1} s of the others.`),
    ];
  },
};

export const proxies: Check = {
  name: 'Proxy',
  run: async ({ config: { url, tls, limits } }) => {
    if (url === null) return [ok('None is told by `url`.')];
    const { protocol, hostname } = new URL(url);
    const own = tls.cert !== null || tls.auto;
    if (protocol === 'http:' && !/^(localhost|127\.|\[::1\])/.test(hostname))
      return [
        warn(
          '`url` is http: browsers give a page a GPU only over https.',
          'Set up TLS (tls.cert, tls.auto or a proxy).',
        ),
      ];
    if (protocol === 'http:' || own) return [ok('None is needed.')];
    if (limits.trustedProxies.length === 0)
      return [
        warn(
          '`url` is https and the relay speaks plain HTTP, so a proxy is in front, but limits.trustedProxies is empty.',
          'Add the proxy’s address: until then all visitors count as one, and share one limit.',
        ),
      ];
    return [ok(`X-Forwarded-For is believed from ${limits.trustedProxies.join(', ')}.`)];
  },
};

function networkOf(url: string): string {
  return new URL('/network.json', url).href;
}

/** Host and port of a multiaddr such as /dns/example.org/tcp/443/tls/ws/p2p/…; null when it has no TCP. */
function tcpPlaceOf(address: string): { host: string; port: number } | null {
  const [first, second] = multiaddr(address).getComponents();
  const isHost = first?.value !== undefined && /^(ip4|ip6|dns|dns4|dns6)$/.test(first.name);
  if (!isHost || second?.name !== 'tcp') return null;
  return { host: first.value!, port: Number(second.value) };
}

function whyNoConnection(place: { host: string; port: number }, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(place);
    const stop = () => {
      socket.destroy();
      reject(signal.reason);
    };
    const settle = (why: string | null) => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(why);
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(CONNECT_MS, () => settle(`it did not answer within ${CONNECT_MS / 1000} s`));
    socket.once('connect', () => settle(null));
    socket.once('error', (error) => settle(reasonOf(error)));
  });
}
