/** The fenced blocks of the documents: what is printed is what tests run. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

export interface CodeBlock {
  /** Path below the project's folder. */
  readonly document: string;
  /** First word of the info string; empty without one. */
  readonly language: string;
  /** Second word of the info string. */
  readonly fileName: string | null;
  readonly text: string;
}

const fence = /^ *```/gm;
const block = /^```([a-z]*)(?: (\S+))?\n([\s\S]*?)^```$/gm;

/** All blocks of a document, in their order. Throws when it has a fence that opens or closes none of them. */
export function blocksOf(document: string): readonly CodeBlock[] {
  const source = readFileSync(join(projectRoot, document), 'utf8');
  const blocks = [...source.matchAll(block)].map(([, language = '', fileName = null, text = '']) => {
    return { document, language, fileName, text };
  });
  if ([...source.matchAll(fence)].length !== blocks.length * 2)
    throw new Error(`${document} has a fence of another form`);
  return blocks;
}

/** All blocks of the documents in the project's folder and in `docs/`. */
export function allBlocks(): readonly CodeBlock[] {
  const documents = ['.', 'docs'].flatMap((folder) =>
    readdirSync(join(projectRoot, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  return documents.toSorted().flatMap(blocksOf);
}

/** How a block is called: by its file name, or else by its first line. */
export function nameOf({ fileName, text }: CodeBlock): string {
  return fileName ?? text.trimStart().split('\n', 1).join();
}

/** The blocks of a document that are named, by that name. Throws when it shows none. */
export function programsIn(document: string): ReadonlyMap<string, string> {
  const programs = new Map<string, string>();
  for (const { fileName, text } of blocksOf(document)) if (fileName !== null) programs.set(fileName, text);
  if (programs.size === 0) throw new Error(`${document} shows no program`);
  return programs;
}
