/**
 * Reads every content whose digest is known, current ones and versions, and tells of those that are not what was stored.
 * It changes nothing and takes no lock, so it runs beside a server: a content is never written again once it is there,
 * and what is replaced or removed meanwhile is read to its end by its descriptor, or not at all.
 */

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { FileKey } from '../../shared/files.ts';
import type { DamagedContent, ScrubProgress } from '../../shared/store-reports.ts';
import { keyOfHash } from './current-of-key.ts';
import { earlierDigest } from './earlier-digest.ts';
import { type Folder, inside } from './folder.ts';
import { withFolder } from './own-folders.ts';
import { readAt } from './read-at.ts';
import { attempt, StorageError } from './storage-error.ts';
import { locate, RECORDS } from './store-layout.ts';
import type { StoredContent } from './stored-file.ts';
import { versionIdsOf, versionLocation, withContent } from './versions/file-history.ts';

const PIECE_BYTES = 1024 * 1024;

export interface ScrubListener {
  damaged(content: DamagedContent): void;
  /** Called after every piece that was read. */
  progress(progress: ScrubProgress): void;
}

/** Errors: io when the store itself cannot be read; a content that cannot is reported as damaged. */
export function scrubStore(root: Folder, listener: ScrubListener): ScrubProgress {
  return new Scrub(root, listener).run();
}

class Scrub {
  private readonly root: Folder;
  private readonly listener: ScrubListener;
  private readonly piece = Buffer.allocUnsafe(PIECE_BYTES);
  private files = 0;
  private bytes = 0;
  private damaged = 0;

  constructor(root: Folder, listener: ScrubListener) {
    this.root = root;
    this.listener = listener;
  }

  run(): ScrubProgress {
    // A digest stands in a record, so files without records need not even be looked at.
    for (const shard of this.namesIn(RECORDS)) {
      for (const keyHash of this.namesIn([...RECORDS, shard])) this.scrubKey(keyHash);
    }
    return this.soFar;
  }

  private get soFar(): ScrubProgress {
    const { files, bytes, damaged } = this;
    return { files, bytes, damaged };
  }

  private scrubKey(keyHash: string): void {
    const key = keyOfHash(this.root, keyHash);
    if (key === null) return;
    withContent(this.root, locate(key, keyHash), key, (content) => this.scrubCurrent(key, keyHash, content));
    for (const id of versionIdsOf(this.root, keyHash)) {
      withContent(this.root, versionLocation(keyHash, id), key, (content) => {
        const expected = content.record?.sha256 ?? null;
        if (expected !== null) this.check(content, { path: key, versionId: id, expected });
      });
    }
  }

  private scrubCurrent(key: FileKey, keyHash: string, content: StoredContent): void {
    const own = content.record?.sha256 ?? null;
    if (own !== null) {
      this.check(content, { path: key, versionId: null, expected: own });
      return;
    }
    // Somebody may have written to the file, and so moved it away from its record.
    const earlier = earlierDigest(this.root, { key, keyHash }, content.identity);
    if (earlier === null) return;
    const isStillThere = (): boolean => earlierDigest(this.root, { key, keyHash }, content.identity) === earlier;
    this.check(content, { path: key, versionId: null, expected: earlier }, isStillThere);
  }

  /** `isChanged` is asked when a digest of an earlier content does not fit: false when that was replaced meanwhile. */
  private check(
    content: StoredContent,
    subject: Pick<DamagedContent, 'path' | 'versionId' | 'expected'>,
    isChanged: (() => boolean) | null = null,
  ): void {
    const found = this.digestOf(content);
    if (found !== subject.expected && isChanged?.() !== false) {
      this.damaged += 1;
      const reason = isChanged === null ? 'flipped' : 'changed';
      this.listener.damaged({ ...subject, found, reason: found === null ? 'unreadable' : reason });
    }
    this.files += 1;
    this.listener.progress(this.soFar);
  }

  /** null: a part of it cannot be read. */
  private digestOf({ fd, identity }: StoredContent): string | null {
    const digest = createHash('sha256');
    try {
      for (let position = 0; position < identity.size; position += PIECE_BYTES) {
        const length = readAt(fd, this.piece, position);
        digest.update(this.piece.subarray(0, length));
        this.bytes += length;
        this.listener.progress(this.soFar);
      }
    } catch (error) {
      if (error instanceof StorageError) return null;
      throw error;
    }
    return digest.digest('hex');
  }

  private namesIn(names: readonly string[]): readonly string[] {
    const list = (folder: Folder): string[] => attempt('readdir records', () => readdirSync(inside(folder, '.')));
    return (withFolder(this.root, names, list) ?? []).sort();
  }
}
