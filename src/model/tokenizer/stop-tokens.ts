/**
 * Tokens that end a turn whatever the metadata says; llama.cpp keeps the same list (`special_eog_ids`), because many
 * files name only one of the two or three that their model uses.
 */
const NAMES: ReadonlySet<string> = new Set([
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|end|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<end_of_turn>',
  '<｜end▁of▁sentence｜>',
  '<EOT>',
  '[EOT]',
  '[EOS]',
  '<eos>',
  '</s>',
]);

/** True when a token of this text ends a turn by its name alone. */
export function endsTurnByName(text: string): boolean {
  return NAMES.has(text);
}
