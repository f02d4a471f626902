/** Floods a relay from 127.0.0.1 until it is told to stop: pages, questions, WebSockets, each as fast as answers come. */
import { WebSocket } from 'ws';
import { promptOf } from './ask.ts';

const url = process.argv[2]!;
const tally = {
  'pages answered': 0,
  'pages refused': 0,
  'questions answered': 0,
  'questions refused': 0,
  'joins taken': 0,
  'joins refused': 0,
};
let running = true;

async function pages(): Promise<void> {
  while (running) {
    const status = await fetch(`${url}/models/index.json`).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) tally['pages answered']++;
    else tally['pages refused']++;
  }
}

async function questions(number: number): Promise<void> {
  for (let i = 0; running; i++) {
    const body = JSON.stringify({
      model: 'smollm2-135m-instruct.q4-1',
      messages: [{ role: 'user', content: promptOf(100_000 + 1_000 * number + i) }],
      max_tokens: 64,
      temperature: 0,
    });
    const status = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) tally['questions answered']++;
    else tally['questions refused']++;
  }
}

async function joins(): Promise<void> {
  const open: WebSocket[] = [];
  while (running) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/p2p`);
    const taken = await new Promise<boolean>((resolve) => {
      socket.once('open', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
    if (taken) {
      tally['joins taken']++;
      open.push(socket);
      // Half-open: it never says a word. The oldest makes room, or this process would run out first.
      if (open.length > 200) open.shift()!.terminate();
    } else tally['joins refused']++;
  }
  for (const socket of open) socket.terminate();
}

process.on('SIGTERM', () => {
  running = false;
  process.send?.(tally, () => process.exit(0));
});
const work = [pages(), pages(), joins(), joins(), ...Array.from({ length: 24 }, (_, i) => questions(i))];
setTimeout(() => process.send?.(tally), 3_000);
await Promise.all(work);
