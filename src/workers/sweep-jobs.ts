/** The sweep as short jobs: each is one portion of the pass that is going on in this thread. */

import { ExpiryRule } from '../shared/expiry-rule.ts';
import { OwnerUsage } from '../shared/owner-usage.ts';
import { JOBS_HOLDER, PathLocks } from '../shared/path-locks.ts';
import { RoomLedger } from '../shared/room-ledger.ts';
import { SecretIds } from '../shared/secret-ids.ts';
import { SharedCount } from '../shared/shared-count.ts';
import { SharedFlag } from '../shared/shared-flag.ts';
import { SteadyClock } from '../shared/steady-clock.ts';
import type { SweepPortion } from '../shared/sweep-report.ts';
import { UploadHolders } from '../shared/upload-holders.ts';
import type { SweepJob, WorkerSettings } from '../shared/worker-jobs.ts';
import { ClosedSlots } from './storage/closed-slots.ts';
import { closeFolder, type Folder, openFolders, openRoot } from './storage/folder.ts';
import { StorageError } from './storage/storage-error.ts';
import { UPLOADS } from './storage/store-layout.ts';
import { Sweep } from './storage/sweep/sweep.ts';
import { countUploads } from './storage/uploads/counted-uploads.ts';
import type { UploadSweepContext } from './storage/uploads/sweep-uploads.ts';

interface RunningPass {
  readonly pass: number;
  readonly root: Folder;
  readonly uploads: Folder;
  readonly sweep: Sweep;
}

export class SweepJobs {
  private readonly settings: WorkerSettings;
  private running: RunningPass | null = null;

  constructor(settings: WorkerSettings) {
    this.settings = settings;
  }

  /** Goes on with the pass; begins it when this thread does not know it. Errors: io, denied, too-many-files. */
  advance(job: SweepJob): SweepPortion {
    const { sweep } = this.running?.pass === job.pass ? this.running : this.begin(job);
    let isOver = true;
    try {
      const portion = sweep.advance(job.budgetMs);
      isOver = portion.isDone;
      return portion;
    } finally {
      if (isOver) this.end();
    }
  }

  private begin({ pass, knownFiles }: SweepJob): RunningPass {
    this.end();
    const { storeDir, durability, expiry, clockStart, prunedFolders, pathLocks, ownerUsage } = this.settings;
    const root = openRoot(storeDir);
    const clock = new SteadyClock(clockStart);
    const locks = new PathLocks(pathLocks, JOBS_HOLDER);
    const uploads = this.openUploads(root, { clock, locks });
    const sweep = new Sweep({
      root,
      durability,
      knownFiles,
      rule: new ExpiryRule(expiry, clock),
      prunedFolders: new SharedCount(prunedFolders, 0),
      locks,
      uploads,
      ownerUsage: new OwnerUsage(ownerUsage),
      closedSlots: new ClosedSlots({
        root,
        secretIds: new SecretIds(this.settings.secretIds),
        mayExist: new SharedFlag(this.settings.closedSlots),
        newSuffix: () => `pass-${pass}`,
      }),
    });
    this.running = { pass, root, uploads: uploads.folder, sweep };
    return this.running;
  }

  private openUploads(root: Folder, parts: Pick<UploadSweepContext, 'clock' | 'locks'>): UploadSweepContext {
    const { uploadHolders, uploadTimes: times, roomLedger } = this.settings;
    const folder = openFolders(root, UPLOADS);
    if (folder === null) throw new StorageError('store-unavailable', 'no folder of uploads');
    const holders = new UploadHolders(uploadHolders, JOBS_HOLDER);
    const counted = countUploads(this.settings);
    return { ...parts, folder, holders, times, counted, room: RoomLedger.ofUploads(roomLedger) };
  }

  /** Closes what the pass has open. */
  private end(): void {
    if (this.running === null) return;
    const { root, uploads, sweep } = this.running;
    this.running = null;
    sweep.end();
    closeFolder(uploads);
    closeFolder(root);
  }
}
