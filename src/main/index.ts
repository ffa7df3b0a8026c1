/** The process entry: hands the command line to its commands. */

import { setFlagsFromString } from 'node:v8';
import type { CommandIo } from './cli/command.ts';
import { runCommandLine } from './cli/command-line.ts';

// The heap of this thread has the bound that `entry.cts` asks for. Other threads have their own, and it would beat them.
setFlagsFromString('--max-semi-space-size=0');

/** What is loaded for the server takes longer than most other commands as a whole. */
const serve: CommandIo['serve'] = async (options) => (await import('./serve.ts')).serve(options);

const { stdout, stderr, env: environment } = process;
const io = { stdout, stderr, environment, cwd: process.cwd(), now: Date.now, serve };
process.exitCode = await runCommandLine(process.argv.slice(2), io);
// Lanes, timers and listeners are gone by now; whatever else holds the loop has no say.
process.exit();
