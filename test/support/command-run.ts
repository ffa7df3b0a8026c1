/** Runs a command line in tests, with a server that only notes what it was asked to serve. */

import { tmpdir } from 'node:os';
import { runCommandLine } from '../../src/main/cli/command-line.ts';
import type { Environment } from '../../src/main/config/environment.ts';

export interface CommandRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Configuration files that the server was started with. */
  readonly served: readonly string[];
}

export interface CommandSurroundings {
  readonly cwd?: string;
  readonly environment?: Environment;
  readonly nowMs?: number;
  /** What the server answers when it has stopped. */
  readonly serveStatus?: number;
}

export async function run(argv: readonly string[], around: CommandSurroundings = {}): Promise<CommandRun> {
  const served: string[] = [];
  const texts = { stdout: '', stderr: '' };
  const status = await runCommandLine(argv, {
    stdout: { write: (text) => (texts.stdout += text) },
    stderr: { write: (text) => (texts.stderr += text) },
    environment: around.environment ?? {},
    cwd: around.cwd ?? tmpdir(),
    now: () => around.nowMs ?? 0,
    serve: async ({ configFile }) => {
      served.push(configFile);
      return around.serveStatus ?? 0;
    },
  });
  return { status, ...texts, served };
}
