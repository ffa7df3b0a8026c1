/** A file of deploy/ as operators get it, with nothing changed but addresses, ports and paths. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/project-root.ts';

/** The text of the file; each pair replaces one text that must be there, everywhere but in comments. */
export function shippedFile(path: string, replacements: readonly (readonly [from: string, to: string])[]): string {
  const lines = readFileSync(join(projectRoot, 'deploy', path), 'utf8').split('\n');
  const found = new Set<string>();
  const changed = lines.map((line) => {
    if (/^\s*#/.test(line)) return line;
    return replacements.reduce((text, [from, to]) => {
      if (!text.includes(from)) return text;
      found.add(from);
      return text.replaceAll(from, to);
    }, line);
  });
  for (const [from] of replacements) assert.ok(found.has(from), `${path} has no ${from}`);
  return changed.join('\n');
}
