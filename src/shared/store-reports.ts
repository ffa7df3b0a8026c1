/** What operators are told about the contents of the store. Plain data that crosses the thread boundary. */

import type { ReplacedContent } from './files.ts';

/** One stored content. */
export interface ContentFacts {
  readonly sizeBytes: number;
  /** Time of last modification in milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** Stored media type; null: the one that the extension gives. */
  readonly type: string | null;
  /** Lower-case hex; null: not known. */
  readonly sha256: string | null;
}

/** An old content. */
export interface VersionFacts extends ContentFacts {
  readonly id: string;
  /** When it was replaced, in milliseconds since the epoch. */
  readonly replacedMs: number;
}

export interface FileHistory {
  /** null: no file has the name. */
  readonly current: ContentFacts | null;
  /** Oldest first. */
  readonly versions: readonly VersionFacts[];
}

/** What a restore did. */
export type RestoreOutcome =
  /** `replaced` is null when nothing was there, or the same content. */
  | { readonly kind: 'restored'; readonly sizeBytes: number; readonly replaced: ReplacedContent | null }
  | { readonly kind: 'no-such-version' }
  /** The version is not what was stored, so it was not made current. */
  | { readonly kind: 'damaged' };

/** A content that is not what was stored. */
export interface DamagedContent {
  readonly path: string;
  /** null: the current content. */
  readonly versionId: string | null;
  /** SHA-256 of what was stored. */
  readonly expected: string;
  /** SHA-256 of what is there; null: it cannot be read. */
  readonly found: string | null;
  readonly reason:
    | 'flipped'
    /** Its modification time differs as well: somebody wrote to the file. */
    | 'changed'
    | 'unreadable';
}

/** How far a scrub is, or how far it came. */
export interface ScrubProgress {
  readonly files: number;
  readonly bytes: number;
  readonly damaged: number;
}

export type FromScrub =
  | ({ readonly type: 'progress' } & ScrubProgress)
  | ({ readonly type: 'damaged' } & DamagedContent);
