/** Where the project lies, seen from compiled tests (`dist/test/<tier>/`): fixtures are read from the source tree. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

function findRoot(start: string): string {
  let folder = start;
  while (!existsSync(join(folder, 'config.toml')) || !existsSync(join(folder, 'tsconfig.json'))) {
    const parent = dirname(folder);
    if (parent === folder) return process.cwd();
    folder = parent;
  }
  return folder;
}

/** Absolute path of the folder that holds `package.json` and `config.toml`. */
export const projectRoot: string = findRoot(import.meta.dirname);
