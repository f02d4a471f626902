/**
 * Runs something in a later task. Not a timer: in a hidden tab those come once a second.
 *
 * @returns a function that runs it, and one that ends the use
 */
export function laterTasks(): { run: (task: () => void) => void; close: () => void } {
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  port1.onmessage = () => tasks.shift()?.();
  return {
    run(task) {
      tasks.push(task);
      port2.postMessage(null);
    },
    close() {
      port1.close();
      tasks.length = 0;
    },
  };
}
