/** Normal clients in a thread of their own, which what a test does meanwhile does not hold up. */

import { Worker } from 'node:worker_threads';
import { pathOf } from '../../support/paced-transfer.ts';
import type { ServerProcess } from '../../support/server-process.ts';

export interface VisitOrder {
  readonly port: number;
  readonly target: string;
  readonly pid: number;
}

/** What they saw: times of whole exchanges, and the server's resident memory at most. */
export interface VisitReport {
  readonly count: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly residentBytes: number;
}

export class Visitors {
  private readonly worker: Worker;
  private readonly report: Promise<VisitReport>;

  /** They ask for the file `key`, from now on. */
  constructor(server: ServerProcess, key: string) {
    const workerData: VisitOrder = { port: server.port, target: pathOf(server, key), pid: server.pid };
    this.worker = new Worker(new URL('./visitor-loop.js', import.meta.url), { workerData });
    this.report = new Promise((resolve, reject) => {
      this.worker.once('message', resolve);
      this.worker.once('error', reject);
    });
    // Whoever waits for them hears of it.
    this.report.catch(() => {});
  }

  /** No more of them come. Rejects when one was not served. */
  leave(): Promise<VisitReport> {
    this.worker.postMessage('leave');
    return this.report;
  }
}
