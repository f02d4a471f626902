import { expect } from 'vitest';
import { ModelError, type ModelErrorCode } from '../errors.ts';

/** The call must end in a ModelError of this code whose message matches. */
export async function failsWith(call: Promise<unknown>, code: ModelErrorCode, message = /./): Promise<void> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}
