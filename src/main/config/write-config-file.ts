/** Writes a new configuration file with a fresh secret. Never touches a file that is there. */

import { resolve } from 'node:path';
import { renderConfigFile, startSettings } from './config-file-template.ts';
import { errorCode, explainSystemError } from './read-text-file.ts';
import { generateSecret, writePrivateFile } from './secret-file.ts';

export type WrittenFile =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly message: string };

/**
 * @param file As given on the command line.
 * @returns The absolute path, or why nothing was written.
 */
export function writeConfigFile(file: string, cwd: string): WrittenFile {
  const path = resolve(cwd, file);
  const text = renderConfigFile({ ...startSettings, Secret: { type: 'string', value: generateSecret() } });
  try {
    writePrivateFile(path, text);
    return { ok: true, path };
  } catch (error) {
    if (errorCode(error) === 'EEXIST') {
      return { ok: false, message: `${file} is there already and stays as it is; name another file` };
    }
    const reason = errorCode(error) === 'ENOENT' ? 'its folder does not exist' : explainSystemError(error);
    return { ok: false, message: `cannot write ${file}: ${reason} (tried ${path})` };
  }
}
