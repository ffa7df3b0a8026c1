/** What operators ask for by a command: each in a process of its own, with nothing beside it. */

import type { ScrubProgress } from '../shared/store-reports.ts';
import type { CommandJob, JobResults, ScrubPort, WorkerSettings } from '../shared/worker-jobs.ts';
import { FilesystemStorage } from './storage/filesystem-storage.ts';
import { withRoot } from './storage/own-folders.ts';
import { type ScrubListener, scrubStore } from './storage/scrub.ts';
import { ownerOf } from './storage/store-probe.ts';
import { historyOf } from './storage/versions/file-history.ts';
import { restoreVersion } from './storage/versions/restore-version.ts';

const PROGRESS_INTERVAL_MS = 200;
/** No lane runs in the process of a command. */
const PLACE = 0;

export async function runCommand(settings: WorkerSettings, job: CommandJob): Promise<JobResults[CommandJob['task']]> {
  const { storeDir } = settings;
  switch (job.task) {
    case 'owner':
      return ownerOf(storeDir);
    case 'history':
      return withRoot(storeDir, (root) => historyOf(root, job.key));
    case 'restore':
      return restoreVersion(new FilesystemStorage(settings, PLACE), job.key, job.id);
    case 'scrub':
      return withRoot(storeDir, (root) => scrubStore(root, listenerOf(job.port)));
    default:
      return job satisfies never;
  }
}

function listenerOf(port: ScrubPort): ScrubListener {
  let toldMs = performance.now();
  return {
    damaged: (content) => port.postMessage({ type: 'damaged', ...content }),
    progress: (progress: ScrubProgress) => {
      if (performance.now() - toldMs < PROGRESS_INTERVAL_MS) return;
      toldMs = performance.now();
      port.postMessage({ type: 'progress', ...progress });
    },
  };
}
