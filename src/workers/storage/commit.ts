/**
 * Publishing: a settled content appears under its key in one step. The order of the steps is the promise: content
 * durable, described, visible, then its name durable, then acknowledged.
 */

import type { Committed } from './committed.ts';
import { describeContent, type Forget } from './describe-content.ts';
import type { Way } from './recent-folders.ts';
import type { SettledContent } from './settled-content.ts';
import { type StagingArea, syncWay } from './staging-area.ts';
import { StorageError } from './storage-error.ts';

/** Publishes only where nothing is, and where nothing was deleted. Errors: exists, path-conflict, no-space, io. */
export async function publishNew(area: StagingArea, content: SettledContent): Promise<Committed> {
  const forget = await describeContent(area, content);
  const { keyHash } = content;
  // Between the look at the slot and the name nobody may delete what was there.
  const release = area.locks.tryAcquire(keyHash) ?? (await area.locks.acquire(keyHash));
  let way: Way;
  try {
    way = makeVisible(area, content, forget);
  } finally {
    release();
  }
  return finish(area, content, way);
}

/** The same for who holds the lock of the path already. */
export async function publishUnderLock(area: StagingArea, content: SettledContent): Promise<Committed> {
  const forget = await describeContent(area, content);
  return finish(area, content, makeVisible(area, content, forget));
}

/** From here on nothing is rolled back: somebody may have seen the file. */
async function finish(area: StagingArea, { size, sha256 }: SettledContent, way: Way): Promise<Committed> {
  try {
    await syncWay(area, way.folders);
  } finally {
    area.folders.giveBack(way);
  }
  return { file: { size, sha256 }, replaced: null, storedBytes: size, freedBytes: 0 };
}

/** Errors: exists. */
export function refuseClosed({ closedSlots }: StagingArea, { keyHash, mayReopen }: SettledContent): void {
  if (!mayReopen && closedSlots.isClosed(keyHash)) throw new StorageError('exists', 'slot was used');
}

/** The commit itself is one `link`, which fails where a name is. What was written about the content goes with a failure. */
function makeVisible(area: StagingArea, content: SettledContent, forget: Forget): Way {
  try {
    refuseClosed(area, content);
    const { file, location } = content;
    file.close();
    return area.folders.use(location.folders, (folder) => file.link(folder, location.name));
  } catch (error) {
    forget();
    throw error;
  }
}
