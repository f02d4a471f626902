import type { CompletionParameters, Message } from '../types.ts';
import type { Tab, Tabs } from './tabs.ts';

/** A tab that lends these layers. */
export async function lender(tabs: Tabs, start: number, end: number): Promise<Tab> {
  const tab = tabs.open();
  await tab.shoal.share({ layers: [start, end] });
  return tab;
}

/** A short greedy answer over the network, unless it is asked for otherwise. */
export async function ask({ shoal }: Tab, messages: Message[], more: Partial<CompletionParameters> = {}) {
  const parameters = { messages, temperature: 0, max_tokens: 12, route: 'network' as const, ...more };
  const answer = await shoal.chat.completions.create({ ...parameters, stream: false });
  return { text: answer.choices[0]!.message.content, usage: answer.usage, ...answer.shoal };
}
