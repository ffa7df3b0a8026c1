/**
 * Publishing: a settled content appears under its key in one step. The order of the steps is the promise: content
 * durable, described, visible, then its name durable, then acknowledged.
 */

import type { FileInfo } from '../../shared/files.ts';
import { fileInfoOf } from './content.ts';
import { describeContent } from './describe-content.ts';
import type { Way } from './recent-folders.ts';
import type { SettledContent } from './settled-content.ts';
import { type StagingArea, syncWay } from './staging-area.ts';
import type { Committed } from './storage.ts';

/** Publishes only where nothing is. Errors: exists, path-conflict, no-space, io. */
export async function publishNew(area: StagingArea, content: SettledContent): Promise<Committed> {
  const forget = await describeContent(area, content);
  let visible: Visible;
  try {
    visible = makeVisible(area, content);
  } catch (error) {
    forget();
    throw error;
  }
  // From here on nothing is rolled back: somebody may have seen the file.
  try {
    await syncWay(area, visible.way.folders);
  } finally {
    area.folders.giveBack(visible.way);
  }
  return { file: visible.info, replaced: null };
}

interface Visible {
  readonly info: FileInfo;
  readonly way: Way;
}

/** The commit itself is one `link`, which fails where a name is. */
function makeVisible({ folders }: StagingArea, { file, location, type }: SettledContent): Visible {
  const info = fileInfoOf(file.identity(), type);
  file.close();
  const way = folders.use(location.folders, (folder) => file.link(folder, location.name));
  return { info, way };
}
