/** Entry for running the harness by itself: `node dist/bench/main.js ARGS`. */

import { runBench } from './index.ts';

process.exitCode = await runBench(process.argv.slice(2), {
  environment: process.env,
  workingFolder: process.cwd(),
  writeOut: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  columns: process.stderr.columns ?? 80,
});
