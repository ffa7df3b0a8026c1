/** The configuration that a command works with. */

import type { UnresolvedConfig } from '../config/config.ts';
import { formatProblems } from '../config/config-problem.ts';
import { DEFAULT_CONFIG_FILE, loadConfig } from '../config/load-config.ts';
import type { CommandInput, CommandIo } from './command.ts';

/** null: it cannot be used, and every mistake has been named on standard error. */
export function readCommandConfig({ options }: CommandInput, io: CommandIo): UnresolvedConfig | null {
  const { environment, cwd } = io;
  const loaded = loadConfig({ file: options.get('config') ?? DEFAULT_CONFIG_FILE, environment, cwd });
  if (loaded.ok) return loaded.config;
  io.stderr.write(formatProblems(loaded.problems));
  return null;
}
