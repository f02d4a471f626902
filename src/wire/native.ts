import { CborCursor, MAJOR } from './cbor-scan.ts';
import { CborWriter } from './cbor-writer.ts';
import { decodeItem } from './codec.ts';
import { checkMessage, NATIVE_MESSAGES, withShortReason } from './fields.ts';
import { checkLength } from './frame.ts';
import { type Message, WireError } from './types.ts';

/** Fields that travel as arrays of integers. */
const BYTE_FIELDS: ReadonlySet<string> = new Set([
  'client_x25519_pub',
  'shard_x25519_pub',
  'payload',
  'kv_delta',
]);

/** All others that are read. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  'kind',
  'peer_id',
  'proto_ver',
  'supported_quants',
  'session_id',
  'model_cid',
  'layer_range',
  'max_seq',
  'seq',
  'phase',
  'dtype',
  'shape',
  'kv_truncate_to',
  'logits_top_k',
  'sampled',
  'last_seq',
  'health',
  'reason',
]);

/** Items of one of those: the fullest list has 1024 pairs. */
const MAX_FIELD_ITEMS = 4096;
/** CBOR around the payload, about. */
const HEAD_BYTES = 512;

/**
 * A message as IntelNav's Rust program writes it, byte for byte, as one frame with its length. Fields that only our
 * peers have are left out.
 * @throws WireError `bad-field` for what a native peer would misunderstand, `bad-payload`, `too-large`
 */
export function encodeNative(message: Message): Uint8Array<ArrayBuffer> {
  if (message.kind === 'abort_session' && message.keep === true)
    throw new WireError('bad-field', 'A native peer ends the whole session on any abort: it cannot keep it.');
  const checked = checkMessage(withShortReason(message), NATIVE_MESSAGES);
  return write(checked).frame();
}

/** The fields in the order of IntelNav's declaration. */
function write(message: Message): CborWriter {
  switch (message.kind) {
    case 'hello': {
      const out = start(message.kind, 4).text('peer_id').text(message.peer_id);
      out.text('proto_ver').uint(message.proto_ver);
      out.text('supported_quants').array(message.supported_quants.length);
      for (const quant of message.supported_quants) out.text(quant);
      return out;
    }
    case 'session_init':
      return session(message, 6)
        .text('client_x25519_pub')
        .byteArray(message.client_x25519_pub)
        .text('model_cid')
        .text(message.model_cid)
        .text('layer_range')
        .map(2)
        .text('start')
        .uint(message.layer_range.start)
        .text('end')
        .uint(message.layer_range.end)
        .text('max_seq')
        .uint(message.max_seq);
    case 'session_ack':
      return session(message, 3).text('shard_x25519_pub').byteArray(message.shard_x25519_pub);
    case 'forward_hidden': {
      const { kv_delta, kv_truncate_to } = message;
      const out = session(message, kv_truncate_to === undefined ? 8 : 9, 2 * message.payload.length);
      out.text('seq').uint(message.seq).text('phase').text(message.phase).text('dtype').text(message.dtype);
      out.text('shape').array(3);
      for (const size of message.shape) out.uint(size);
      out.text('payload').byteArray(message.payload).text('kv_delta');
      if (kv_delta === null) out.null();
      else out.byteArray(kv_delta);
      if (kv_truncate_to !== undefined) out.text('kv_truncate_to').uint(kv_truncate_to);
      return out;
    }
    case 'token': {
      const { logits_top_k } = message;
      const out = session(message, 5).text('seq').uint(message.seq).text('logits_top_k');
      if (logits_top_k === null) out.null();
      else {
        out.array(logits_top_k.length);
        for (const [id, logit] of logits_top_k) out.array(2).uint(id).float(logit);
      }
      return out.text('sampled').uint(message.sampled);
    }
    case 'heartbeat':
      return session(message, 4).text('last_seq').uint(message.last_seq).text('health').uint(message.health);
    case 'abort_session':
      return session(message, 3).text('reason').text(message.reason);
  }
}

function start(kind: string, fields: number, payload = 0): CborWriter {
  return new CborWriter(HEAD_BYTES + payload).map(fields).text('kind').text(kind);
}

function session(
  { kind, session_id }: { kind: string; session_id: string },
  fields: number,
  payload = 0,
): CborWriter {
  return start(kind, fields, payload).text('session_id').text(session_id);
}

/**
 * The message in a frame of a native peer. Of unknown keys only the form is checked; byte strings are refused where
 * IntelNav refuses them. No field of our own is ever set.
 * @param body the frame without its length
 * @throws WireError `too-large`, `malformed`, `unknown-kind`, `bad-field`, `bad-payload`
 */
export function decodeNative(body: Uint8Array): Message {
  checkLength(body.length);
  const cursor = new CborCursor(body);
  if (cursor.head() !== MAJOR.map) throw new WireError('malformed', 'A frame holds no CBOR map.');
  const fields: Record<string, unknown> = {};
  for (let left = cursor.argument; left > 0; left--) {
    const key = cursor.key();
    const start = cursor.at;
    if (Object.hasOwn(fields, key)) throw new WireError('malformed', `A frame has the field ${key} twice.`);
    if (BYTE_FIELDS.has(key) && body[start] !== NULL) fields[key] = byteField(cursor, key);
    else {
      const known = BYTE_FIELDS.has(key) || PLAIN_FIELDS.has(key);
      // What is not known is walked, however long it is, and builds nothing.
      cursor.skip(known ? MAX_FIELD_ITEMS : body.length);
      if (known) fields[key] = decodeItem(body.subarray(start, cursor.at));
    }
  }
  cursor.end();
  return checkMessage(fields, NATIVE_MESSAGES);
}

/** CBOR's null. */
const NULL = 0xf6;

function byteField(cursor: CborCursor, key: string): Uint8Array {
  const values = cursor.byteArray();
  if (values !== null) return values;
  throw new WireError(
    'bad-field',
    `${key} must be an array of integers from 0 to 255, as IntelNav writes bytes.`,
  );
}
