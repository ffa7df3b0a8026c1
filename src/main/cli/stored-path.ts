/** PATH arguments: the name of a file, by the same grammar that uploads pass. */

import type { FileKey } from '../../shared/files.ts';
import { parseRequestTarget } from '../auth/request-target.ts';
import { UsageError } from './command.ts';
import { encodePath } from './slot-url.ts';

/** @throws {UsageError} */
export function readKey(path: string): FileKey {
  if (path.startsWith('/')) throw new UsageError('PATH begins with a slash; write it relative to UploadSubDir');
  const target = parseRequestTarget(`/${encodePath(path)}`, '/');
  if (target.kind === 'file') return target.key;
  throw new UsageError(
    'PATH is no name that the server stores: no empty parts, no "." or "..", no control characters, not below ".hfs"',
  );
}
