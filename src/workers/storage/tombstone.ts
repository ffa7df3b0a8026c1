/**
 * What a tombstone says: until when a slot stays closed whose file is gone. As long as the signature that made the file
 * could be used again, so that nobody puts another file where somebody has deleted one.
 */

import type { FileRecord } from './record-format.ts';

/** An upload that began while its signature was good may take so long (resumable uploads: 7 days). */
const LONGEST_UPLOAD_MS = 7 * 86_400_000;

export type Tombstone =
  /** Milliseconds since the epoch. */
  | { readonly kind: 'until'; readonly ms: number }
  /** Until none of these secrets is in use any more; ids, in ascending order. */
  | { readonly kind: 'secrets'; readonly ids: readonly number[] };

/** What is known at the moment of the question. */
export interface SlotMoment {
  /** Of the secrets in use; empty: not known, so nothing is over that depends on them. */
  readonly secretIds: readonly number[];
  readonly nowMs: number;
}

/** What has to stand where a file with this record was; null: its signature is good for nothing any more. */
export function tombstoneFor(record: FileRecord | null, { secretIds, nowMs }: SlotMoment): Tombstone | null {
  const usableUntilMs = record?.usableUntilMs ?? null;
  // Whoever signed it, and with which of the secrets, is not known.
  if (usableUntilMs === null) return { kind: 'secrets', ids: secretIds };
  const ms = usableUntilMs + LONGEST_UPLOAD_MS;
  return ms > nowMs ? { kind: 'until', ms } : null;
}

/** True when the slot may be used again. */
export function isOver(tombstone: Tombstone, { secretIds, nowMs }: SlotMoment): boolean {
  if (tombstone.kind === 'until') return nowMs >= tombstone.ms;
  return secretIds.length > 0 && !tombstone.ids.some((id) => secretIds.includes(id));
}

/** Name of the file that all tombstones of these secrets share. */
export function sharedName(ids: readonly number[]): string {
  return `secrets-${idsText(ids)}`;
}

function idsText(ids: readonly number[]): string {
  return ids.map((id) => id.toString(16).padStart(3, '0')).join('-');
}

export function encodeTombstone(tombstone: Tombstone): string {
  return tombstone.kind === 'until' ? `until ${tombstone.ms}\n` : `secrets ${idsText(tombstone.ids)}\n`;
}

/** null: nothing that this server has written, or not the whole of it. */
export function decodeTombstone(text: string): Tombstone | null {
  const [, kind, value = ''] = /^(until|secrets) ([0-9a-f-]*)\n$/.exec(text) ?? [];
  if (kind === 'until') return /^[0-9]{1,16}$/.test(value) ? { kind, ms: Number(value) } : null;
  if (kind !== 'secrets' || !/^(?:[0-9a-f]{3}(?:-[0-9a-f]{3})*)?$/.test(value)) return null;
  return { kind, ids: value === '' ? [] : value.split('-').map((id) => Number.parseInt(id, 16)) };
}
