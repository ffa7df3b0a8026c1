/** A lane that writes nothing and takes its time for it, in a thread of its own: a slow disk, or one that hangs. */

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';

export interface SlowLaneOrder {
  readonly port: MessagePort;
  readonly writeMs: number;
}

export interface SlowLane {
  readonly port: MessagePort;
  stop(): Promise<void>;
}

/** Resolves when it takes messages. `writeMs`: for each buffer. */
export async function startSlowLane(writeMs: number): Promise<SlowLane> {
  const { port1, port2 } = new MessageChannel();
  const workerData: SlowLaneOrder = { port: port2, writeMs };
  const worker = new Worker(new URL('./slow-lane-loop.js', import.meta.url), { workerData, transferList: [port2] });
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
