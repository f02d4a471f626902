/**
 * The body of an answer as text, given up as soon as it grows over a cap.
 * @param most bytes
 * @throws RangeError when it is longer
 */
export async function readCapped(response: Response, most: number): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  for (let read = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    read += value.length;
    if (read > most) {
      await reader.cancel();
      throw new RangeError(`The answer is longer than ${most} bytes.`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
