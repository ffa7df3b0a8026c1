/**
 * Whose an upload is, and whether the owner may have more. An owner is the first segment of a path as ejabberd makes it
 * (a hash of the user's address, always the same), or else the name that a signature gave.
 */

import { hash } from 'node:crypto';
import type { FileKey } from '../../shared/files.ts';
import type { OwnerId, OwnerUsage } from '../../shared/owner-usage.ts';
import type { Committed } from './committed.ts';
import { StorageError } from './storage-error.ts';

/** ejabberd mod_http_upload: SHA-1 of the bare JID, 40 random letters and digits, the name. */
const EJABBERD_PATH = /^([0-9a-f]{40})\/[0-9A-Za-z]{40}\/[^/]+$/;

/** null: nobody's. */
export function ownerOf(key: FileKey, signedOwner: string | null): OwnerId | null {
  const [, user] = EJABBERD_PATH.exec(key) ?? [];
  if (user !== undefined) return idOf(`path ${user}`);
  return signedOwner === null ? null : idOf(`name ${signedOwner}`);
}

/** The owner that the path alone tells; null: it tells none. */
export function ownerOfPath(key: FileKey): OwnerId | null {
  return ownerOf(key, null);
}

function idOf(name: string): OwnerId {
  const id = BigInt.asIntN(64, BigInt(`0x${hash('sha256', name, 'hex').slice(0, 16)}`));
  return id === 0n ? 1n : id;
}

/** Room that an owner was promised for one upload. */
export interface OwnerClaim {
  /** The upload is stored; the promise ends. */
  stored(committed: Pick<Committed, 'storedBytes' | 'freedBytes'>): void;
  /** The promise ends. Does nothing when it has ended. */
  end(): void;
}

const noClaim: OwnerClaim = { stored: () => {}, end: () => {} };

/** What was stored counts, as long as there is a limit. */
export function storedForOwner(
  usage: OwnerUsage,
  { key, owner }: { readonly key: FileKey; readonly owner: string | null },
  { storedBytes, freedBytes }: Pick<Committed, 'storedBytes' | 'freedBytes'>,
): void {
  const id = usage.limitBytes === null ? null : ownerOf(key, owner);
  if (id !== null) usage.change(id, storedBytes - freedBytes);
}

/** Errors: over-quota. */
export function claimForOwner(
  usage: OwnerUsage,
  { key, owner = null, size }: { readonly key: FileKey; readonly owner?: string | null; readonly size: number },
): OwnerClaim {
  const id = usage.limitBytes === null ? null : ownerOf(key, owner);
  if (id === null) return noClaim;
  if (!usage.promise(id, size)) throw new StorageError('over-quota', 'OwnerQuota');
  let isOpen = true;
  const end = (): void => {
    if (isOpen) usage.endPromise(id, size);
    isOpen = false;
  };
  const stored: OwnerClaim['stored'] = ({ storedBytes, freedBytes }) => {
    // Counted twice for an instant, never not at all.
    usage.change(id, storedBytes - freedBytes);
    end();
  };
  return { stored, end };
}
