/** Every RTCPeerConnection of this page. Must be imported before anything that makes one. */
export const connections: RTCPeerConnection[] = [];

globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    connections.push(this);
  }
};

/** How the bytes of one connection travel, as the browser itself tells. */
export interface Route {
  state: RTCPeerConnectionState;
  /** `host`, `prflx`, `srflx` or `relay` at each end; null before a pair is chosen. */
  local: string | null;
  remote: string | null;
  bytesSent: number;
}

export async function routes(): Promise<Route[]> {
  return Promise.all(
    connections.map(async (connection) => {
      const stats = await connection.getStats();
      const all = [...stats.values()];
      const transport = all.find(({ type }) => type === 'transport');
      const pair = stats.get(transport?.selectedCandidatePairId ?? '');
      return {
        state: connection.connectionState,
        local: stats.get(pair?.localCandidateId ?? '')?.candidateType ?? null,
        remote: stats.get(pair?.remoteCandidateId ?? '')?.candidateType ?? null,
        bytesSent: transport?.bytesSent ?? 0,
      };
    }),
  );
}
