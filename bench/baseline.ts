/**
 * Builds two versions of the server beside each other, the working tree and a git revision in a temporary worktree, so that `--vs` can
 * compare them. Both use the packages that are installed now.
 */

import { execFile, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Leftovers } from './leftovers.ts';
import { TargetError } from './targets/target.ts';

const run = promisify(execFile);

/** A build that can be started: `distFolder` holds `src/main`. */
export interface Build {
  readonly name: string;
  readonly distFolder: string;
}

export interface BaselineBuilds {
  readonly workingTree: Build;
  readonly baseline: Build;
  /** Something that the reader of the figures should know; null: nothing. */
  readonly warning: string | null;
}

async function git(folder: string, ...args: string[]): Promise<string> {
  try {
    return (await run('git', ['-C', folder, ...args])).stdout.trim();
  } catch (error) {
    throw new TargetError(`git ${args[0] ?? ''}: ${describe(error)}`);
  }
}

/** What a failed command said; a compiler says it on standard output. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stdout, stderr } = error as Error & { stdout?: string; stderr?: string };
  return [stderr, stdout].find((text) => text !== undefined && text.trim() !== '')?.trim() ?? error.message;
}

/** Compiles the sources in `source` into `out`, a folder that node can start from. */
async function compile(source: string, out: string, modules: string): Promise<string> {
  const compiler = join(modules, 'typescript/bin/tsc');
  const distFolder = join(out, 'dist');
  try {
    await run(process.execPath, [compiler, '-p', source, '--outDir', distFolder, '--incremental', 'false']);
  } catch (error) {
    throw new TargetError(`cannot build ${source}: ${describe(error)}`);
  }
  return distFolder;
}

/** Builds the working tree that `folder` lies in, and its revision `revision`, below a temporary folder in `directory`. */
export async function buildBaseline(
  folder: string,
  revision: string,
  directory: string,
  leftovers: Leftovers,
): Promise<BaselineBuilds> {
  const root = await git(folder, 'rev-parse', '--show-toplevel');
  const commit = await git(root, 'rev-parse', '--verify', '--short', `${revision}^{commit}`);
  const modules = join(root, 'node_modules');
  const temporary = leftovers.makeFolder(directory);
  const worktree = join(temporary, 'baseline');
  await git(root, 'worktree', 'add', '--detach', worktree, commit);
  // Runs after the folder itself is gone: git then forgets the worktree.
  leftovers.add(worktree, () => spawnSync('git', ['-C', root, 'worktree', 'prune']));
  symlinkSync(modules, join(worktree, 'node_modules'));
  const workFolder = leftovers.makeFolder(directory);
  symlinkSync(modules, join(workFolder, 'node_modules'));
  cpSync(join(root, 'package.json'), join(workFolder, 'package.json'));
  const lockfile = (tree: string): string => readFileSync(join(tree, 'package-lock.json'), 'utf8');
  return {
    workingTree: { name: 'working tree', distFolder: await compile(root, workFolder, modules) },
    baseline: { name: commit, distFolder: await compile(worktree, worktree, modules) },
    warning: lockfile(root) === lockfile(worktree) ? null : `${commit} was built with the packages of the working tree`,
  };
}
