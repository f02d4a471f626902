/** What the relay tells about itself: log, metrics, the state of the network, the status page. */
export { type CounterFile, type CounterFileOptions, keepCounters } from './counter-file.ts';
export { type GaugeRooms, gaugesOf } from './gauges.ts';
export { createLog, type LogOptions } from './log.ts';
export { type LoopDelay, watchLoopDelay } from './loop-delay.ts';
export { createMeters, type GaugeSources, type MetersOptions, type RelayMeters } from './meters.ts';
export type { NetworkState } from './network-state.ts';
export { type NetworkSources, NetworkWatch, type WatchedSwarm } from './network-watch.ts';
export { type RecentEvent, RecentEvents } from './recent.ts';
export { type Watch, type WatchOptions, watchRoutes } from './routes.ts';
export { type SeenHost, type SeenSlice, Survey, type SurveyOptions } from './survey.ts';
export type { Log, LogFields, Meters } from './types.ts';
