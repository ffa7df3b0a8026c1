/**
 * The thread of `Visitors`: normal clients on new connections and at fixed times, so that one that waits does not keep the
 * next from coming. Runs until it gets a message, and answers with what it saw.
 */

import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { exchange, requestBytes } from '../../support/raw-http.ts';
import { residentBytesOf } from '../../support/server-process.ts';
import type { VisitOrder, VisitReport } from './visitors.ts';

/** One comes so often, whether the last one has been served or not. */
const VISIT_GAP_MS = 20;
const VISIT_TIMEOUT_MS = 30_000;

const { port, target, pid } = workerData as VisitOrder;
const request = requestBytes('GET', target);
const times: number[] = [];
const visits: Promise<void>[] = [];
/** Of the server, at most. */
let residentBytes = 0;
let isOver = false;

/** Counts from the moment at which the visit was due. */
async function visit(dueMs: number): Promise<void> {
  assert.equal((await exchange(port, request, { timeoutMs: VISIT_TIMEOUT_MS })).status, 200);
  times.push(performance.now() - dueMs);
}

parentPort?.once('message', () => {
  isOver = true;
});

let dueMs = performance.now();
while (!isOver) {
  visits.push(visit(dueMs));
  residentBytes = Math.max(residentBytes, residentBytesOf(pid));
  dueMs += VISIT_GAP_MS;
  await delay(Math.max(0, dueMs - performance.now()));
}
await Promise.all(visits);
times.sort((a, b) => a - b);
const report: VisitReport = {
  count: times.length,
  p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
  longestMs: times.at(-1) ?? 0,
  residentBytes,
};
parentPort?.postMessage(report);
