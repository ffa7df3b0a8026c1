/** The version in `package.json`: the one place where it is written. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface PackageFacts {
  readonly name: string;
  readonly version: string;
}

function isPackageFacts(value: unknown): value is PackageFacts {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'name' in value && 'version' in value && value.name === 'hmac-file-server' && typeof value.version === 'string'
  );
}

/** Looks for our `package.json` from the compiled file upwards; `unknown` when the server was copied without it. */
export function readProductVersion(): string {
  let folder = import.meta.dirname;
  while (folder !== dirname(folder)) {
    try {
      const facts: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (isPackageFacts(facts)) return facts.version;
    } catch {
      // No readable package.json in this folder: it may lie further up.
    }
    folder = dirname(folder);
  }
  return 'unknown';
}
