/** The programs that a document shows: fenced blocks whose info string is a language and a file name. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

const block = /^```[a-z]+ (\S+)\n([\s\S]*?)^```$/gm;

/** By file name. Throws when the document shows none. */
export function programsIn(document: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(projectRoot, document), 'utf8');
  const programs = new Map<string, string>();
  for (const [, name = '', code = ''] of text.matchAll(block)) programs.set(name, code);
  if (programs.size === 0) throw new Error(`${document} shows no program`);
  return programs;
}
