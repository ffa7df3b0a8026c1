/** The Dockerfile as a list of instructions, and the stages they belong to. No Docker is needed to read it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

export type Stage = readonly Instruction[];

/** Instructions by stage, in order; the last stage is the image. */
export function readDockerfile(): readonly Stage[] {
  const stages: Instruction[][] = [];
  const text = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8');
  for (const line of text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')) {
    const [, keyword, rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === undefined) continue;
    if (keyword === 'FROM') stages.push([]);
    stages.at(-1)?.push({ keyword, rest });
  }
  return stages;
}

/** What stands behind a keyword in a stage; the last one counts. */
export function restOf(stage: Stage, keyword: string): string {
  return stage.findLast((instruction) => instruction.keyword === keyword)?.rest ?? '';
}

/** Words of an instruction in its JSON form, also behind options such as `--interval` and the word CMD. */
export function wordsOf(stage: Stage, keyword: string): readonly string[] {
  const rest = restOf(stage, keyword);
  return JSON.parse(rest.slice(rest.indexOf('['))) as string[];
}

/** `NAME=value` pairs of ENV. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    restOf(stage, 'ENV')
      .split(/\s+/)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

export interface CopyStep {
  /** Copied from another stage, not from the project. */
  readonly isFromStage: boolean;
  readonly sources: readonly string[];
  readonly target: string;
}

export function copiesOf(stage: Stage): readonly CopyStep[] {
  return stage
    .filter(({ keyword }) => keyword === 'COPY')
    .map(({ rest }) => {
      const words = rest.split(/\s+/);
      const paths = words.filter((word) => !word.startsWith('--'));
      return { isFromStage: words.length > paths.length, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
    });
}
