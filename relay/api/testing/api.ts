import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answers } from '../../answers/types.ts';
import type { RelayConfig } from '../../config/types.ts';
import { type Served, serve } from '../../http/testing/serve.ts';
import type { Log, LogFields, Meters } from '../../watch/types.ts';
import { KeyFile } from '../keys.ts';
import { type Api, type ApiOptions, apiRoutes } from '../routes.ts';

export const CONFIG: RelayConfig['api'] = {
  enabled: true,
  keys: 'optional',
  route: 'auto',
  answers: 2,
  answersPerClient: 2,
  waiting: 20,
  waitingPerClient: 10,
  requestsPerMinute: 1_000_000,
  maxTokens: null,
  bodyBytes: 256 * 1024,
};

/** A log that keeps its lines. */
export class KeptLog implements Log {
  readonly lines: string[] = [];
  readonly #write = (level: string) => (message: string, fields?: LogFields) => {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  readonly debug = this.#write('debug');
  readonly info = this.#write('info');
  readonly warn = this.#write('warn');
  readonly error = this.#write('error');
  with(): Log {
    return this;
  }
}

/** Meters that add up, as `name{labels}`. */
export class KeptMeters implements Meters {
  readonly counts = new Map<string, number>();
  count(name: string, labels: Record<string, string>, by = 1): void {
    const key = `${name}${JSON.stringify(labels)}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }
  observe(name: string): void {
    this.count(name, {});
  }
  of(name: string, labels: Record<string, string> = {}): number {
    return this.counts.get(`${name}${JSON.stringify(labels)}`) ?? 0;
  }
}

/** The API over a real server, with its own data folder. */
export interface TestApi {
  url: string;
  api: Api;
  keys: KeyFile;
  log: KeptLog;
  meters: KeptMeters;
  server: Served;
  folder: string;
  close(): Promise<void>;
}

export async function startApi(
  answers: Answers,
  config: Partial<RelayConfig['api']> = {},
  more: Partial<Pick<ApiOptions, 'hold' | 'beat'>> = {},
): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-api-'));
  const log = new KeptLog();
  const meters = new KeptMeters();
  const keys = await KeyFile.open(folder, log);
  const hold = { accepting: () => true, why: () => null };
  const api = apiRoutes({ answers, config: { ...CONFIG, ...config }, keys, meters, log, hold, ...more });
  const server = await serve(api.routes);
  return {
    url: `http://127.0.0.1:${server.port}`,
    api,
    keys,
    log,
    meters,
    server,
    folder,
    close: async () => {
      await server.server.close();
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
