import { randomBytes } from 'node:crypto';
import type { Answers, Question, RouteWanted } from '../answers/types.ts';
import type { RelayConfig } from '../config/types.ts';
import type { Hold } from '../guard/hold.ts';
import type { Call } from '../http/types.ts';
import type { Log, Meters } from '../watch/types.ts';
import { type AdmissionOptions, admit, type Client } from './admission.ts';
import { type BodyBudget, checkBodyHeaders, type HeldBody, readBody } from './body.ts';
import { ChatShape } from './chat-shape.ts';
import { ApiError, fromAnswers } from './errors.ts';
import type { FairQueue } from './fair-queue.ts';
import type { Endpoint } from './fields.ts';
import { parseJson } from './json.ts';
import { type ApiRequest, checkRequest, checkRoute } from './parameters.ts';
import { Provenance } from './provenance.ts';
import { sendError } from './respond.ts';
import { type Beat, type Sender, StreamSender, WholeSender } from './senders.ts';
import type { Head } from './shapes.ts';
import { TextShape } from './text-shape.ts';

/** Whether new work is taken, and why not. */
export type Asking = Pick<Hold, 'accepting' | 'why'>;

export interface Generation extends AdmissionOptions {
  answers: Answers;
  config: RelayConfig['api'];
  queue: FairQueue;
  budget: BodyBudget;
  hold: Asking;
  meters: Meters;
  log: Log;
  beat: Beat;
}

/** What happened to one request, for the log and the metrics. */
interface Outcome {
  /** As in the x-request-id header. */
  id: string;
  client: Client | null;
  end: 'ok' | 'refused' | 'failed' | 'cancelled';
  stage: 'queue' | 'prefill' | 'decode';
  prompt: number;
  cached: number;
  completion: number;
  /** Whether its key was charged. */
  counted: boolean;
  code: string | null;
}

/** @throws ApiError 503 */
export function checkHold(hold: Asking): void {
  if (hold.accepting()) return;
  const why = hold.why() ?? 'This relay takes no new requests now. Try again in a minute.';
  throw new ApiError(503, 'overloaded', why, { retryAfter: 30 });
}

/** Answers one request of /v1/chat/completions or /v1/completions. Never rejects. */
export async function generate(endpoint: Endpoint, call: Call, room: Generation): Promise<void> {
  const started = performance.now();
  const id = `${endpoint === 'chat' ? 'chatcmpl' : 'cmpl'}-${randomBytes(12).toString('hex')}`;
  const record: Outcome = {
    id: String(call.response.getHeader('x-request-id')),
    client: null,
    end: 'ok',
    stage: 'queue',
    prompt: 0,
    cached: 0,
    completion: 0,
    counted: false,
    code: null,
  };
  let sender: Pick<Sender, 'fail'> = { fail: async (error) => sendError(call, error) };
  let held: HeldBody | null = null;
  const stalled = new AbortController();
  const signal = AbortSignal.any([call.signal, stalled.signal]);
  try {
    const client = admit(call, room);
    record.client = client;
    checkHold(room.hold);
    checkBodyHeaders(call.request, room.config.bodyBytes);
    room.queue.check(client.id);
    const { budget } = room;
    held = await readBody(call.request, { maxBytes: room.config.bodyBytes, budget, signal });
    const request = checkRequest(endpoint, parseJson(held.bytes));
    const question = questionOf(request, client, routeOf(request, call, room.config.route));
    await refuseUnknownModel(question, room.answers, signal);

    const provenance = new Provenance();
    const shape = new (endpoint === 'chat' ? ChatShape : TextShape)(
      headOf(id, question.model, room.answers),
      {
        includeUsage: request.stream && request.includeUsage,
        logprobs: request.logprobs !== null,
      },
    );
    const answer: Sender = request.stream
      ? new StreamSender(call, shape, provenance, {
          includeUsage: request.includeUsage,
          beat: room.beat,
          signal,
          onStall: () => stalled.abort(new Error('The client reads no more.')),
        })
      : new WholeSender(call, shape, provenance);
    sender = answer;
    await waitAndAnswer(call, room, question, { client, answer, provenance, record, signal });
  } catch (error) {
    await tellError(error, { call, sender, record, room, signal });
  } finally {
    held?.release();
    report(endpoint, record, performance.now() - started, room);
  }
}

interface Turn {
  client: Client;
  answer: Sender;
  provenance: Provenance;
  record: Outcome;
  signal: AbortSignal;
}

async function waitAndAnswer(call: Call, room: Generation, question: Question, turn: Turn): Promise<void> {
  const { answer, provenance, record, signal } = turn;
  const ticket = room.queue.enter(turn.client.id, signal);
  try {
    call.response.setHeader('x-shoal-queue', ticket.arrival);
    const stopTelling = answer.wait(ticket);
    try {
      await ticket.turn;
    } finally {
      stopTelling();
    }
    // The relay may have begun to stop while this one waited.
    checkHold(room.hold);
    provenance.begin();
    room.meters.observe('shoal_queue_seconds', {}, provenance.queue / 1000);
    record.stage = 'prefill';
    let computed = 0;
    for await (const event of room.answers.ask(question, signal)) {
      provenance.see(event);
      if (event.type === 'prefill') computed = event.done;
      if (event.type === 'token') {
        record.stage = 'decode';
        record.completion++;
      }
      if (event.type === 'done') {
        Object.assign(record, event.usage);
        // Before the client has it: its next request may come before this one is put away.
        countTokens(record, room);
      } else {
        // Of an answer that does not come to its end, what was computed counts.
        record.prompt = computed;
      }
      await answer.event(event);
      // Some answers are over before a signal is looked at.
      signal.throwIfAborted();
    }
  } finally {
    ticket.leave();
  }
}

function questionOf(request: ApiRequest, client: Client, route: RouteWanted): Question {
  const { model, prompt, sampling, maxTokens, stop, logprobs } = request;
  return { model, prompt, sampling, maxTokens, stop, logprobs, route, client: client.hash };
}

/** What is nearest to the question wins: its body, a header, the address, the configuration. */
function routeOf(request: ApiRequest, call: Call, otherwise: RouteWanted): RouteWanted {
  return (
    request.route ??
    checkRoute('x-shoal-route', call.request.headers['x-shoal-route']) ??
    checkRoute('route', call.query.get('route')) ??
    otherwise
  );
}

/** A model that is not listed is asked for before the queue: it is refused at once, or has just become ready. */
async function refuseUnknownModel(question: Question, answers: Answers, signal: AbortSignal): Promise<void> {
  if (modelOf(question.model, answers)) return;
  const attempt = answers.ask(question, signal);
  try {
    await attempt.next();
  } finally {
    await attempt.return();
  }
}

function modelOf(name: string, answers: Answers) {
  return answers.models().find(({ id, cid }) => id === name || cid === name);
}

function headOf(id: string, name: string, answers: Answers): Head {
  const model = modelOf(name, answers);
  return {
    id,
    created: Math.floor(Date.now() / 1000),
    model: model?.id ?? name,
    // All cids of a kind begin alike.
    system_fingerprint: `shoal_${(model?.cid ?? '').slice(-12)}`,
  };
}

interface Failure {
  call: Call;
  sender: Pick<Sender, 'fail'>;
  record: Outcome;
  room: Generation;
  signal: AbortSignal;
}

async function tellError(error: unknown, { call, sender, record, room, signal }: Failure): Promise<void> {
  if (signal.aborted) {
    record.end = 'cancelled';
    room.meters.count('shoal_cancelled_total', { stage: record.stage });
    if (call.response.destroyed || call.response.writableEnded) return;
    if (call.signal.aborted) {
      // The relay stops and its patience is over; a client that hung up does not see this.
      await sender.fail(
        new ApiError(503, 'stopping', 'This relay is stopping. Try again in a minute.', { retryAfter: 30 }),
      );
    } else call.response.destroy();
    return;
  }
  const told =
    fromAnswers(error) ??
    new ApiError(503, 'stopping', 'The answer was ended. Try again.', { retryAfter: 5 });
  record.end = told.status === 500 ? 'failed' : 'refused';
  record.code = told.code;
  if (told.status === 500) {
    room.meters.count('shoal_errors_total', { room: 'api', code: told.code ?? 'unknown' });
    room.log.error('An answer failed.', { request: record.id, message: told.message, where: whereOf(error) });
  } else if (told.status !== 400 && told.status !== 404) {
    room.meters.count('shoal_refused_total', { reason: told.code ?? 'api' });
  }
  await sender.fail(told);
}

/** Kind and place of an error that nobody foresaw; not its message, which may quote a prompt. */
function whereOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no error';
  const cause = error.cause instanceof Error ? error.cause : error;
  const frames = (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return `${cause.name}${frames.slice(0, 4).join('').replace(/\s+/g, ' ')}`;
}

function countTokens(record: Outcome, { usage }: Generation): void {
  const { client, counted, prompt, completion } = record;
  if (client?.key && !counted) usage.add(client.key.id, prompt + completion);
  record.counted = true;
}

function report(endpoint: Endpoint, record: Outcome, ms: number, room: Generation): void {
  const { meters, log } = room;
  const { client, prompt, cached, completion } = record;
  meters.count('shoal_api_requests_total', { endpoint, end: record.end });
  if (prompt > 0) meters.count('shoal_api_tokens_total', { kind: 'prompt' }, prompt);
  if (cached > 0) meters.count('shoal_api_tokens_total', { kind: 'cached' }, cached);
  if (completion > 0) meters.count('shoal_api_tokens_total', { kind: 'completion' }, completion);
  countTokens(record, room);
  log.info(`API request ${record.end}.`, {
    request: record.id,
    endpoint,
    key: client?.key?.name,
    code: record.code ?? undefined,
    stage: record.end === 'cancelled' ? record.stage : undefined,
    prompt,
    completion,
    ms: Math.round(ms),
  });
}
