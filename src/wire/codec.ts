// The build without eval: the page's CSP forbids it, and the usual build tries it as soon as it is imported. It also
// has no native part in Node, so that strangers' bytes meet the same memory-safe code everywhere.
import { Decoder, Encoder } from 'cbor-x/index-no-eval';
import { CborCursor } from './cbor-scan.ts';
import { checkMessage, MESSAGES, withShortReason } from './fields.ts';
import { checkLength, frame } from './frame.ts';
import { type Message, WireError } from './types.ts';

/** Items of a message: the fullest hello, 64 offers with 64 loaded parts each, has 39,000. */
const MAX_ITEMS = 65_536;

/** Plain CBOR: no records, no references, no tag around bytes, the shortest head for each map. */
const PLAIN = { useRecords: false, structuredClone: false, tagUint8Array: false, variableMapSize: true };
const encoder = new Encoder(PLAIN);
const decoder = new Decoder(PLAIN);

/** Builds the value of one item that a CborCursor has walked. @throws WireError `malformed` */
export function decodeItem(item: Uint8Array): unknown {
  try {
    return decoder.decode(item);
  } catch (cause) {
    throw new WireError('malformed', 'A frame is not the CBOR that peers speak.', { cause });
  }
}

/**
 * A message between our own peers as one frame, its length included. What encodes also decodes: the fields are checked
 * here as they are there. A long reason is cut.
 * @throws WireError `bad-field`, `bad-payload`, `too-large`
 */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  // The encoder's buffer is a pool that later messages share: framing copies out of it.
  return frame(encoder.encode(checkMessage(withShortReason(message), MESSAGES)));
}

/**
 * The message in a frame from one of our own peers. Every field has been checked; keys that are not known are left
 * out, optional ones that are absent or null are undefined.
 * @param body the frame without its length. Payloads are views of it.
 * @throws WireError `too-large`, `malformed`, `unknown-kind`, `bad-field`, `bad-payload`
 */
export function decodeMessage(body: Uint8Array): Message {
  checkLength(body.length);
  const cursor = new CborCursor(body);
  cursor.skip(MAX_ITEMS);
  cursor.end();
  // A view of its own: the decoder leaves a property on the array that it reads.
  return checkMessage(decodeItem(new Uint8Array(body.buffer, body.byteOffset, body.length)), MESSAGES);
}
