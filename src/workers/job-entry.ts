/** What Piscina runs in the thread for jobs beside the lanes: one function that dispatches the jobs of the closed list. */

import { workerData } from 'node:worker_threads';
import { JOBS_HOLDER, PathLocks } from '../shared/path-locks.ts';
import type { CommandJob, JobResults, ShortJob, WorkerAnswer, WorkerSettings } from '../shared/worker-jobs.ts';
import { answerOf } from './answer-of.ts';
import { lockHolder, refreshLock, takeLock } from './storage/lock-file.ts';
import { withRoot } from './storage/own-folders.ts';
import { prepareStore } from './storage/prepare-store.ts';
import { closeStore, recoverStore } from './storage/recover-store.ts';
import { probeStore, watchStore } from './storage/store-probe.ts';
import { admitUploads } from './storage/uploads/admit-uploads.ts';
import { tidyVersions } from './storage/versions/tidy-versions.ts';
import { SweepJobs } from './sweep-jobs.ts';

// Errors of system calls are expected here and become data: their stacks would only cost time.
Error.stackTraceLimit = 0;

const settings: WorkerSettings = workerData;
const sweeps = new SweepJobs(settings);

export function runJob(job: ShortJob | CommandJob): Promise<WorkerAnswer> {
  return answerOf(() => run(job));
}

async function run(job: ShortJob | CommandJob): Promise<unknown> {
  switch (job.task) {
    case 'owner':
    case 'history':
    case 'restore':
    case 'scrub': {
      // A server runs no commands: its thread is spared their code.
      const { runCommand } = await import('./run-command.ts');
      return runCommand(settings, job);
    }
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
