/** Step 4 of a commit: what a file cannot say of itself is durable before its content is visible. */

import { closeSync } from 'node:fs';
import { closeAll, type Folder, inside, useFolders, type WayFolder } from './folder.ts';
import { syncContent } from './folder-sync.ts';
import { createRecord, recordName, removeRecord } from './record.ts';
import type { SettledContent } from './settled-content.ts';
import { type StagingArea, syncWay } from './staging-area.ts';
import { removeQuietly } from './staging-file.ts';
import { recordFolders } from './store-layout.ts';

/** Takes back what would be left of a content that never became visible. */
export type Forget = () => void;

const nothingWritten: Forget = () => {};

/** Writes the record of the content, if it needs one. May move the content's modification time. */
export function describeContent(area: StagingArea, content: SettledContent): Forget | Promise<Forget> {
  return needsRecord(content) ? writeRecord(area, content) : nothingWritten;
}

async function writeRecord(area: StagingArea, content: SettledContent): Promise<Forget> {
  const folders = recordFolders(content.keyHash);
  const { room } = area;
  const create = (folder: Folder): CreatedRecord => room.makeEntry(() => createFor(content, folder));
  const { way, result } = useFolders(area.root, folders, create, room);
  const { fd, name } = result;
  try {
    const folder = way.at(-1) ?? area.root;
    try {
      await syncRecord(area, fd, way);
    } catch (error) {
      removeRecord(folder, name);
      throw error;
    }
    return () => removeQuietly(inside(area.root, [...folders, name].join('/')));
  } finally {
    closeAll(way);
  }
}

function needsRecord({ type, sha256, terms, location }: SettledContent): boolean {
  const { expiresAtMs, owner, usableUntilMs } = terms;
  return location.isLongName || [type, sha256, expiresAtMs, owner, usableUntilMs].some((value) => value !== null);
}

async function syncRecord(area: StagingArea, fd: number, way: readonly WayFolder[]): Promise<void> {
  try {
    if (area.durability !== 'none') await syncContent(fd);
  } finally {
    closeSync(fd);
  }
  await syncWay(area, way);
}

interface CreatedRecord {
  readonly fd: number;
  readonly name: string;
}

function createFor(content: SettledContent, folder: Folder): CreatedRecord {
  const { file, key, type, sha256, terms } = content;
  const { expiresAtMs: expiresMs, owner, usableUntilMs } = terms;
  const record = { path: key, type, sha256, expiresMs, owner, usableUntilMs };
  for (;;) {
    const { mtimeNs, size } = file.identity();
    const name = recordName(mtimeNs, size);
    const fd = createRecord(folder, name, record);
    if (fd !== null) return { fd, name };
    // The name belongs to another content of the same nanosecond and size: move ours.
    file.modifyAfter(mtimeNs);
  }
}
