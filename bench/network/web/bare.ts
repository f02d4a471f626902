import { trips, within } from '../echo.ts';

/** Milliseconds for two pages of one browser to connect. */
const CONNECT_MS = 15_000;

interface Bare {
  connection: RTCPeerConnection;
  channel: RTCDataChannel | null;
}

const bare = new Map<string, Bare>();

/** The peer that a hop's round trip is compared with: two pages, one RTCDataChannel, nothing else. */
export const bareChannels = {
  /** Begins a connection. @returns the offer, with its candidates */
  async offer(name: string): Promise<string> {
    const connection = new RTCPeerConnection({ iceServers: [] });
    const channel = connection.createDataChannel('bare');
    channel.binaryType = 'arraybuffer';
    bare.set(name, { connection, channel });
    await connection.setLocalDescription(await connection.createOffer());
    return gathered(connection);
  },

  /** Takes an offer and echoes what comes. @returns the answer, with its candidates */
  async answer(name: string, sdp: string): Promise<string> {
    const connection = new RTCPeerConnection({ iceServers: [] });
    bare.set(name, { connection, channel: null });
    connection.addEventListener('datachannel', ({ channel }) => {
      channel.binaryType = 'arraybuffer';
      channel.addEventListener('message', ({ data }) => channel.send(data));
    });
    await connection.setRemoteDescription({ type: 'offer', sdp });
    await connection.setLocalDescription(await connection.createAnswer());
    return gathered(connection);
  },

  async accept(name: string, sdp: string): Promise<void> {
    const { connection, channel } = bare.get(name)!;
    const opened = new Promise<void>((resolve) =>
      channel!.addEventListener('open', () => resolve(), { once: true }),
    );
    await connection.setRemoteDescription({ type: 'answer', sdp });
    await within(CONNECT_MS, opened, 'the bare RTCDataChannel does not open');
  },

  /** Round trips one after the other. @returns milliseconds of each */
  async trips(name: string, bytes: number, count: number): Promise<number[]> {
    const channel = bare.get(name)?.channel;
    if (!channel) throw new Error(`there is no channel "${name}"`);
    const body = new Uint8Array(bytes);
    return trips(count, () => {
      const back = new Promise<void>((resolve) =>
        channel.addEventListener('message', () => resolve(), { once: true }),
      );
      channel.send(body);
      return back;
    });
  },

  close(name: string): void {
    bare.get(name)?.connection.close();
    bare.delete(name);
  },
};

/** The local description once every candidate is in it: there is no way to send one later. */
async function gathered(connection: RTCPeerConnection): Promise<string> {
  const done = new Promise<void>((resolve) => {
    const look = () => {
      if (connection.iceGatheringState === 'complete') resolve();
    };
    connection.addEventListener('icegatheringstatechange', look);
    look();
  });
  await within(CONNECT_MS, done, 'candidates are not gathered');
  return connection.localDescription!.sdp;
}
