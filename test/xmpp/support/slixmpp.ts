/** slixmpp as a client: asks for slots, and uploads as its own plugin for XEP-0363 does. */

import { join } from 'node:path';
import { projectRoot } from '../../support/project-root.ts';
import { runClient } from './run-client.ts';
import type { Account } from './xmpp-server.ts';

/** Debian's own; its packages are not seen by others. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = join(projectRoot, 'test/xmpp/support/slixmpp-client.py');

export interface SlotRequest {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

export interface FileUpload {
  readonly file: string;
  /** Under which it is offered. */
  readonly name: string;
  readonly type: string;
}

export interface Slot {
  readonly put: string;
  readonly get: string;
  /** That the client is told to send along. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What became of a request; the error in the library's words. */
export type Outcome<T> = T | { readonly error: string };

export function askForSlots(account: Account, jobs: readonly SlotRequest[]): Promise<readonly Outcome<Slot>[]> {
  return perform(account, jobs);
}

/** Uploads one file after the other; answers the URL that the client would send to its contacts. */
export function uploadFiles(
  account: Account,
  jobs: readonly FileUpload[],
): Promise<readonly Outcome<Pick<Slot, 'get'>>[]> {
  return perform(account, jobs);
}

/** A slot that must have been granted. */
export async function slotFor(account: Account, request: SlotRequest): Promise<Slot> {
  const [slot] = await askForSlots(account, [request]);
  if (slot === undefined || 'error' in slot) throw new Error(`no slot: ${slot?.error}`);
  return slot;
}

async function perform<T>(account: Account, jobs: readonly object[]): Promise<T> {
  const order = JSON.stringify({ ...account, host: '127.0.0.1', jobs });
  const client = { command: [PYTHON, SCRIPT], debianPackage: 'python3 python3-slixmpp python3-aiohttp' } as const;
  return JSON.parse(await runClient(client, order)) as T;
}
