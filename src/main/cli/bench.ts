/** `bench`: hands its arguments to the load-testing harness as they are, which is a product of its own. */

import type { Command } from './command.ts';

export const benchCommand: Command = {
  name: 'bench',
  arguments: ['...'],
  summary: 'loads a server, checks its answers and says how fast it is; see bench --help',
  details: '',
  options: {},
  readsOwnArguments: true,
  run: async ({ positionals }, { stdout, stderr, environment, cwd }) => {
    // Loaded when asked for: no other command pays for it.
    const { runBench } = await import('../../../bench/index.ts');
    return runBench(positionals, {
      environment,
      workingFolder: cwd,
      writeOut: (text) => stdout.write(text),
      writeError: (text) => stderr.write(text),
      isTerminal: process.stderr.isTTY,
      columns: process.stderr.columns ?? 80,
    });
  },
};
