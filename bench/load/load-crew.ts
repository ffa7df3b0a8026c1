/** The load threads of one run, seen from the main thread: each phase is one message to all of them and one answer from each. */

import { Worker } from 'node:worker_threads';
import type { Load } from '../scenario.ts';
import type { LoadInterval } from './recorder.ts';
import type { FromThread, ThreadPlan, ToThread } from './thread-messages.ts';
import type { ThreadUsage } from './thread-usage.ts';

/** What a crew is made for. */
export interface CrewPlan extends Omit<ThreadPlan, 'load' | 'loadIndex' | 'threadIndex' | 'threads'> {
  /** Each load, and how many threads serve it. */
  readonly loads: readonly { readonly load: Load; readonly threads: number }[];
}

/** What happens during the measurement. */
export interface CrewListener {
  /** `thread` counts over all loads. */
  onInterval(load: number, thread: number, interval: LoadInterval, usage: ThreadUsage | null): void;
  /** All threads of a load are through with it; its last right answer came at `lastMs`, 0: there was none. */
  onLoadFinished(lastMs: number): void;
}

interface Waiter {
  readonly type: FromThread['type'];
  readonly replies: FromThread[];
  readonly resolve: (replies: FromThread[]) => void;
  readonly reject: (error: Error) => void;
}

export class LoadCrew {
  private readonly workers: readonly Worker[];
  /** By load: how many threads are still at it, and when the last of their answers came. */
  private readonly open: { threads: number; lastMs: number }[];
  private listener: CrewListener | null = null;
  private waiter: Waiter | null = null;

  constructor({ loads, ...common }: CrewPlan) {
    this.open = loads.map(({ threads }) => ({ threads, lastMs: 0 }));
    const plans = loads.flatMap(({ load, threads }, loadIndex) =>
      Array.from({ length: threads }, (_, threadIndex): ThreadPlan => {
        return { ...common, load, loadIndex, threadIndex, threads };
      }),
    );
    this.workers = plans.map((workerData, thread) => {
      const worker = new Worker(new URL('./load-thread.js', import.meta.url), { workerData });
      worker.on('message', (message: FromThread) => this.hear(workerData.loadIndex, thread, message));
      worker.on('error', (error) => this.break(error instanceof Error ? error : new Error(String(error))));
      return worker;
    });
  }

  async prepare(): Promise<void> {
    await this.ask({ type: 'prepare' }, 'prepared');
  }

  async warmUp(durationMs: number): Promise<void> {
    await this.ask({ type: 'warm-up', durationMs }, 'warmed-up');
  }

  /** Resolves when every thread has drained. `end` must be called some time after. */
  async measure(startMs: number, endMs: number, listener: CrewListener): Promise<void> {
    this.listener = listener;
    await this.ask({ type: 'measure', startMs, endMs }, 'drained');
    this.listener = null;
  }

  /** Ends the measurement at `endMs`; what is unanswered `drainMs` later counts as failed. */
  end(endMs: number, drainMs: number): void {
    this.tell({ type: 'end', endMs, drainMs });
  }

  async readBack(): Promise<{ checked: number; errors: Record<string, number> }> {
    const errors: Record<string, number> = {};
    let checked = 0;
    for (const reply of await this.ask({ type: 'read-back' }, 'read-back-done')) {
      if (reply.type !== 'read-back-done') continue;
      checked += reply.sent;
      for (const [kind, count] of Object.entries(reply.errors)) errors[kind] = (errors[kind] ?? 0) + count;
    }
    return { checked, errors };
  }

  /** Deletes what was uploaded; answers how many files are left. */
  async clean(): Promise<number> {
    const replies = await this.ask({ type: 'clean' }, 'cleaned');
    return replies.reduce((left, reply) => left + (reply.type === 'cleaned' ? reply.left : 0), 0);
  }

  /** Ends the threads; whatever was waited for fails. */
  async close(): Promise<void> {
    this.break(new Error('the run was ended'));
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private tell(message: ToThread): void {
    for (const worker of this.workers) worker.postMessage(message);
  }

  private ask(message: ToThread, type: FromThread['type']): Promise<FromThread[]> {
    return new Promise((resolve, reject) => {
      this.waiter = { type, replies: [], resolve, reject };
      this.tell(message);
    });
  }

  private hear(load: number, thread: number, message: FromThread): void {
    if (message.type === 'failed') {
      this.break(new Error(message.message));
      return;
    }
    if (message.type === 'interval') {
      this.listener?.onInterval(load, thread, message.interval, message.usage);
      return;
    }
    if (message.type === 'drained') this.noteDrained(load, message.lastMs);
    if (this.waiter?.type !== message.type) return;
    this.waiter.replies.push(message);
    if (this.waiter.replies.length === this.workers.length) this.settle();
  }

  private noteDrained(load: number, lastMs: number): void {
    const state = this.open[load];
    if (state === undefined) return;
    state.threads -= 1;
    state.lastMs = Math.max(state.lastMs, lastMs);
    if (state.threads === 0) this.listener?.onLoadFinished(state.lastMs);
  }

  private settle(): void {
    const waiter = this.waiter;
    this.waiter = null;
    waiter?.resolve(waiter.replies);
  }

  private break(error: Error): void {
    const waiter = this.waiter;
    this.waiter = null;
    waiter?.reject(error);
  }
}
