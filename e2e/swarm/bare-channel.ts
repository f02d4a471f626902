import { connections } from './recorded-connections.ts';

/**
 * Round trips over an RTCDataChannel with nothing around it, to compare with: two connections of this page, in
 * milliseconds each. SCTP does not go through the network here either way, so pages and one page cost the same.
 */
export async function bareRoundTrips(bytes: number, times: number): Promise<number[]> {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate ?? undefined);
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate ?? undefined);
  b.ondatachannel = ({ channel }) => {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => channel.send(data);
  };
  const channel = a.createDataChannel('bare');
  channel.binaryType = 'arraybuffer';
  const open = new Promise((resolve) => {
    channel.onopen = resolve;
  });
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  await open;
  const message = new Uint8Array(bytes);
  const spent: number[] = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    const answered = new Promise((resolve) => {
      channel.onmessage = resolve;
    });
    channel.send(message);
    await answered;
    spent.push(performance.now() - started);
  }
  a.close();
  b.close();
  connections.splice(0, connections.length, ...connections.filter((one) => one !== a && one !== b));
  return spent;
}
