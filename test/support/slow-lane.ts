/** A lane that writes nothing and takes its time for it, in a thread of its own: a slow disk, or one that hangs. */

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';

const PROGRAM = `
const { workerData } = require('node:worker_threads');
const { port, writeMs } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));
port.on('message', (messages) => {
  for (const { transfer, piece } of messages) {
    if (!piece) continue;
    Atomics.wait(never, 0, 0, writeMs);
    const { buffer } = piece;
    port.postMessage([{ type: 'upload.written', transfer, buffer }], [buffer]);
  }
});
`;

export interface SlowLane {
  readonly port: MessagePort;
  stop(): Promise<void>;
}

/** Resolves when it takes messages. `writeMs`: for each buffer. */
export async function startSlowLane(writeMs: number): Promise<SlowLane> {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(PROGRAM, { eval: true, workerData: { port: port2, writeMs }, transferList: [port2] });
  await new Promise((resolve, reject) => {
    worker.once('online', resolve);
    worker.once('error', reject);
  });
  const stop = async (): Promise<void> => {
    port1.close();
    await worker.terminate();
  };
  return { port: port1, stop };
}
