/** A file that is certainly there, for the example that a first start prints. */

import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export interface ExampleFile {
  readonly name: string;
  /** Relative to the working directory where that is shorter. */
  readonly path: string;
  readonly sizeBytes: number;
}

const NAME = 'README.md';

/** The README of this very installation; null when the server was copied without it. */
export function exampleFile(): ExampleFile | null {
  let folder = import.meta.dirname;
  while (folder !== dirname(folder)) {
    const path = join(folder, NAME);
    if (existsSync(join(folder, 'package.json')) && existsSync(path)) {
      const fromHere = relative(process.cwd(), path);
      return { name: NAME, path: fromHere.length < path.length ? fromHere : path, sizeBytes: statSync(path).size };
    }
    folder = dirname(folder);
  }
  return null;
}
