/** What of an upload has reached the disk: nothing on the wire tells while a request is under way. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerProcess } from './server-process.ts';
import { eventually } from './store-state.ts';

const ID = /\/\.hfs\/u\/([0-9a-f]{32})\./;

/** Resolves once so many bytes of the upload with this URL, or path, are written. */
export function uploadHas(server: ServerProcess, path: string, bytes: number): Promise<void> {
  const name = join(server.storeDir, '.hfs/uploads', `${ID.exec(path)?.[1] ?? ''}.data`);
  const written = (): number => statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  return eventually(() => written() >= bytes, `${bytes} bytes of an upload`);
}
