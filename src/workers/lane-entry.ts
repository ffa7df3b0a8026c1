/** What Piscina runs in the threads for lanes: one function that serves a lane, with the code that a lane needs and no other. */

import { workerData } from 'node:worker_threads';
import type { LaneJob, WorkerAnswer, WorkerSettings } from '../shared/worker-jobs.ts';
import { answerOf } from './answer-of.ts';
import { Lane } from './lane.ts';
import { lanePortOver } from './lane-port.ts';
import { FilesystemStorage } from './storage/filesystem-storage.ts';

// Errors of system calls are expected here and become data: their stacks would only cost time.
Error.stackTraceLimit = 0;

const settings: WorkerSettings = workerData;

export function runJob(job: LaneJob): Promise<WorkerAnswer> {
  return answerOf(() => serveLane(job));
}

function serveLane({ port, secrets, place }: LaneJob): Promise<void> {
  return new Lane({ port: lanePortOver(port), secrets, storage: new FilesystemStorage(settings, place) }).serve();
}
