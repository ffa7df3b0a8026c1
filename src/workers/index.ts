/** What Piscina runs in each worker thread: one function that dispatches the jobs of the closed list. */

import { workerData } from 'node:worker_threads';
import { JOBS_HOLDER, PathLocks } from '../shared/path-locks.ts';
import type { JobResults, LaneJob, ShortJob, WorkerAnswer, WorkerJob, WorkerSettings } from '../shared/worker-jobs.ts';
import { Lane } from './lane.ts';
import { lanePortOver } from './lane-port.ts';
import { runCommand } from './run-command.ts';
import { FilesystemStorage } from './storage/filesystem-storage.ts';
import { lockHolder, refreshLock, takeLock } from './storage/lock-file.ts';
import { withRoot } from './storage/own-folders.ts';
import { prepareStore } from './storage/prepare-store.ts';
import { closeStore, recoverStore } from './storage/recover-store.ts';
import { toFailure } from './storage/storage-error.ts';
import { probeStore, watchStore } from './storage/store-probe.ts';
import { admitUploads } from './storage/uploads/admit-uploads.ts';
import { tidyVersions } from './storage/versions/tidy-versions.ts';
import { SweepJobs } from './sweep-jobs.ts';

// Errors of system calls are expected here and become data: their stacks would only cost time.
Error.stackTraceLimit = 0;

const settings: WorkerSettings = workerData;
const sweeps = new SweepJobs(settings);

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
    case 'lane':
      return serveLane(job);
    case 'owner':
    case 'history':
    case 'restore':
    case 'scrub':
      return runCommand(settings, job);
    default:
      return doAtOnce(job);
  }
}

function doAtOnce(job: ShortJob): JobResults[ShortJob['task']] {
  const { storeDir } = settings;
  switch (job.task) {
    case 'prepare':
      return prepareStore(storeDir);
    case 'lock':
      return takeLock(storeDir);
    case 'holder':
      return lockHolder(storeDir);
    case 'refresh-lock':
      refreshLock(storeDir);
      return null;
    case 'recover': {
      const report = recoverStore(storeDir);
      admitUploads(settings);
      return report;
    }
    case 'close':
      closeStore(storeDir, job.identity);
      return null;
    case 'probe':
      probeStore(storeDir, job.identity);
      return null;
    case 'watch':
      return watchStore(storeDir, job.identity);
    case 'tidy-versions':
      return withRoot(storeDir, (root) => tidyVersions(root, new PathLocks(settings.pathLocks, JOBS_HOLDER), job));
    case 'sweep':
      return sweeps.advance(job);
    default:
      return job satisfies never;
  }
}

function serveLane({ port, secrets, place }: LaneJob): Promise<void> {
  return new Lane({ port: lanePortOver(port), secrets, storage: new FilesystemStorage(settings, place) }).serve();
}
