/** Requests of the IETF draft in each of its versions, below the wire. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DraftVersion, draftVersions } from '../../src/main/upload/draft-version.ts';
import type { ParsedUpload, UploadRequest } from '../../src/main/upload/upload-protocol.ts';
import type { ResumableCommand } from '../../src/shared/resumable.ts';
import { type Lines, RESOURCE_PATH, uploadRequest } from './upload-request.ts';

export const SLOT = `/files/a.bin?v=${'0'.repeat(64)}`;

export function versionLines({ interop }: DraftVersion): Lines {
  return interop === null ? [] : [['Upload-Draft-Interop-Version', String(interop)]];
}

export function completeness(version: DraftVersion, isComplete: boolean): Lines {
  if (version.interop === 3) return [['Upload-Incomplete', isComplete ? '?0' : '?1']];
  return [['Upload-Complete', isComplete ? '?1' : '?0']];
}

export function create(version: DraftVersion, isComplete: boolean, lines: Lines, target = SLOT): UploadRequest {
  return uploadRequest('POST', target, [...versionLines(version), ...completeness(version, isComplete), ...lines]);
}

export function append(version: DraftVersion, lines: Lines): UploadRequest {
  return uploadRequest('PATCH', RESOURCE_PATH, [
    ...versionLines(version),
    ['Content-Type', 'application/partial-upload'],
    ...lines,
  ]);
}

export function commandOf(parsed: ParsedUpload): ResumableCommand {
  assert.ok(parsed.kind === 'command' && parsed.command.type === 'resumable', JSON.stringify(parsed));
  return parsed.command.command;
}

/** A test that runs for each version, and says for which one it failed. */
export function eachVersion(title: string, check: (version: DraftVersion) => void): void {
  test(title, () => {
    for (const version of draftVersions) {
      try {
        check(version);
      } catch (error) {
        throw new Error(`version ${version.interop ?? 'final'}`, { cause: error });
      }
    }
  });
}
