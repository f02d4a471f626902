import { randomBytes } from 'node:crypto';
import type { AnswerableModel, Answers } from '../answers/types.ts';
import type { RelayConfig } from '../config/types.ts';
import type { Call, Route } from '../http/types.ts';
import type { Log, Meters } from '../watch/types.ts';
import { admit } from './admission.ts';
import { BodyBudget } from './body.ts';
import { ApiError, fromAnswers } from './errors.ts';
import { FairQueue } from './fair-queue.ts';
import { type Asking, type Generation, generate } from './generate.ts';
import type { KeyFile } from './keys.ts';
import { RequestRate } from './request-rate.ts';
import { sendError, sendJson } from './respond.ts';
import { BEAT, type Beat } from './senders.ts';
import { DailyUsage } from './usage.ts';

/** Largest bodies that are held at once: of requests that are read, wait, or are answered. */
const BODIES = 16;

export interface ApiOptions {
  answers: Answers;
  config: RelayConfig['api'];
  keys: KeyFile;
  meters: Meters;
  log: Log;
  hold: Asking;
  /** How often those who wait hear of it. */
  beat?: Beat;
}

export interface Api {
  routes: Route[];
  status(): ApiStatus;
  /** Refuses what waits and what comes, and writes what was counted. What runs is not ended: that is the call's signal. */
  close(): Promise<void>;
}

export interface ApiStatus {
  running: number;
  waiting: number;
  /** Clients that have something waiting. */
  clients: number;
  /** Bytes of bodies held. */
  bodyBytes: number;
}

/** OpenAI's API over `answers`: models, chat completions, completions. */
export function apiRoutes(options: ApiOptions): Api {
  const { answers, config, keys, log } = options;
  const queue = new FairQueue(config);
  const budget = new BodyBudget(BODIES * config.bodyBytes);
  const usage = DailyUsage.open(keys.folder, log);
  const room: Generation = {
    ...options,
    beat: options.beat ?? BEAT,
    queue,
    budget,
    usage,
    rate: new RequestRate(),
    required: config.keys === 'required',
    requestsPerMinute: config.requestsPerMinute,
  };

  const route = (methods: Route['methods'], matches: Route['matches'], handle: Route['handle']): Route => ({
    methods,
    matches,
    handle: (call) => {
      call.response.setHeader('x-request-id', requestId());
      return handle(call);
    },
    crossOrigin: true,
    kind: 'api',
    fail: (call, status, code, message) => {
      if (!call.response.headersSent) call.response.setHeader('x-request-id', requestId());
      // Other rooms write their codes with hyphens, OpenAI with underscores.
      sendError(call, new ApiError(status, code.replaceAll('-', '_'), message));
    },
  });
  /** What is answered at once; errors are told in OpenAI's shape. */
  const short = (call: Call, answer: () => object) => {
    try {
      admit(call, room);
      sendJson(call, 200, answer());
    } catch (error) {
      const told = fromAnswers(error);
      if (told) sendError(call, told);
    }
  };

  const on: Route[] = [
    route(
      ['GET'],
      (path) => path === '/v1/models',
      (call) => short(call, () => ({ object: 'list', data: answers.models().map(modelObject) })),
    ),
    route(
      ['GET'],
      (path) => path.startsWith('/v1/models/'),
      (call) => short(call, () => modelObject(findModel(answers, call.segments.slice(2).join('/')))),
    ),
    route(
      ['POST'],
      (path) => path === '/v1/chat/completions',
      (call) => generate('chat', call, room),
    ),
    route(
      ['POST'],
      (path) => path === '/v1/completions',
      (call) => generate('completions', call, room),
    ),
  ];
  const rest = route(
    ['GET', 'POST', 'DELETE'],
    // Not the paths above: with another method they are refused for that.
    (path) =>
      (path === '/v1' || path.startsWith('/v1/')) &&
      !(config.enabled && on.some(({ matches }) => matches(path))),
    (call) => short(call, () => unknown(call, config.enabled)),
  );
  return {
    routes: config.enabled ? [...on, rest] : [rest],
    status: () => ({ ...queue.status(), bodyBytes: budget.held }),
    close: async () => {
      queue.close();
      await usage.flush();
    },
  };
}

/** One for each request, so that a user can say which one went wrong. */
function requestId(): string {
  return `req_${randomBytes(12).toString('hex')}`;
}

interface ModelObject {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
  shoal: { cid: string; max_tokens: number };
}

function modelObject({ id, cid, created, maxTokens }: AnswerableModel): ModelObject {
  return { id, object: 'model', created, owned_by: 'shoal', shoal: { cid, max_tokens: maxTokens } };
}

function findModel(answers: Answers, name: string): AnswerableModel {
  const models = answers.models();
  const found = models.find(({ id, cid }) => id === name || cid === name);
  if (found) return found;
  const known = models.map(({ id }) => id).join(', ') || 'none yet';
  throw new ApiError(404, 'model_not_found', `This relay has no model of this name. It has: ${known}.`, {
    param: 'model',
  });
}

function unknown({ request, path }: Call, enabled: boolean): never {
  if (!enabled)
    throw new ApiError(404, 'unknown_url', 'The operator of this relay has switched its API off.');
  throw new ApiError(
    404,
    'unknown_url',
    `Unknown request URL: ${request.method} ${path.slice(0, 200)}. This relay has /v1/models, /v1/chat/completions and /v1/completions.`,
  );
}
