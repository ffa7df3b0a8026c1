/** What Piscina runs in each worker thread: one function that dispatches the jobs of the closed list. */

import { workerData } from 'node:worker_threads';
import type { LaneJob, WorkerAnswer, WorkerJob, WorkerSettings } from '../shared/messages.ts';
import { Lane } from './lane.ts';
import { FilesystemStorage } from './storage/filesystem-storage.ts';
import { measureSpace, prepareStore, probeStore, recoverStore } from './storage/prepare-store.ts';
import { toFailure } from './storage/storage-error.ts';

// Errors of system calls are expected here and become data: their stacks would only cost time.
Error.stackTraceLimit = 0;

const settings: WorkerSettings = workerData;

/** Never rejects: errors would lose their class and fields on the way. */
export async function runJob(job: WorkerJob): Promise<WorkerAnswer> {
  try {
    return { isDone: true, value: await run(job) };
  } catch (error) {
    return { isDone: false, failure: toFailure(error) };
  }
}

async function run(job: WorkerJob): Promise<unknown> {
  switch (job.task) {
    case 'prepare':
      return prepareStore(settings.storeDir);
    case 'recover':
      return recoverStore(settings.storeDir);
    case 'probe':
      probeStore(settings.storeDir);
      return null;
    case 'space':
      return measureSpace(settings.storeDir);
    case 'lane':
      return serveLane(job);
    default:
      return job satisfies never;
  }
}

function serveLane({ port, secrets, place }: LaneJob): Promise<void> {
  return new Lane({ port, secrets, storage: new FilesystemStorage(settings, place) }).serve();
}
