import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { reasonOf } from './ask.ts';
import { type Check, fail, ok } from './types.ts';

export const httpPort: Check = {
  name: 'Port',
  run: async ({ config: { host, port }, running, ownPeer }) => {
    if (port === 0) return [ok('Any free one.')];
    const why = await whyNotTcp(port, host);
    if (why === null) return [ok(`${port} is free on ${host}.`)];
    const relay = why === 'EADDRINUSE' ? await running() : null;
    if (!relay) return [refusal(port, host, why, 'port')];
    const own = await ownPeer();
    if (relay.peer === null || own === null || relay.peer === own)
      return [ok(`A relay runs on ${port} and answers.`)];
    return [
      fail(
        `Another relay, ${relay.peer.slice(-8)}, runs on ${port}.`,
        'Its data folder is another one. Stop it, or set `port`.',
      ),
    ];
  },
};

export const peerPorts: Check = {
  name: 'Peer ports',
  run: async ({ config: { host, network }, running }) => {
    const findings = [];
    const isOurs = (await running()) !== null;
    for (const [port, what, key] of [
      [network.tcpPort, 'TCP', 'network.tcpPort'],
      [network.webrtcPort, 'UDP', 'network.webrtcPort'],
    ] as const) {
      if (port === null || port === 0) continue;
      const why = await (what === 'TCP' ? whyNotTcp : whyNotUdp)(port, host);
      if (why === null) findings.push(ok(`${what} ${port} is free.`));
      else if (why === 'EADDRINUSE' && isOurs)
        findings.push(ok(`${what} ${port} is in use, while a relay runs here.`));
      else findings.push(refusal(port, host, why, key));
    }
    if (network.webrtcPort === null)
      findings.push({
        state: 'warn' as const,
        seen: 'network.webrtcPort is not set.',
        todo: 'With it, pages on https reach a relay that has neither a domain nor a certificate: `--webrtc-port 8080`, and open that UDP port.',
      });
    return findings;
  },
};

function refusal(port: number, host: string, why: string, key: string) {
  if (why === 'EADDRINUSE')
    return fail(`Another program uses port ${port}.`, `Stop it, or set ${key} to another one.`);
  if (why === 'EACCES')
    return fail(
      `This user may not listen on port ${port}.`,
      `Set ${key} to one from 1024 on behind a proxy, or allow it (setcap cap_net_bind_service).`,
    );
  if (why === 'EADDRNOTAVAIL' || why === 'ENOTFOUND')
    return fail(
      `${host} is no address of this machine.`,
      'Set `host` to 0.0.0.0 or to an address that it has.',
    );
  return fail(
    `Port ${port} cannot be used: ${reasonOf({ code: why, message: why })}.`,
    `Set ${key} or \`host\`.`,
  );
}

/** The code of the error, or null when it can be had. */
async function whyNotTcp(port: number, host: string): Promise<string | null> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return null;
  } catch (error) {
    return codeOf(error);
  } finally {
    server.close();
  }
}

async function whyNotUdp(port: number, host: string): Promise<string | null> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.bind({ port, address: host, exclusive: true });
    await once(socket, 'listening');
    return null;
  } catch (error) {
    return codeOf(error);
  } finally {
    socket.close();
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown';
}
