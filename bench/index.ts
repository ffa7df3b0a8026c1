/** The command `bench`: runs what its arguments ask for, writes the reports, and leaves nothing behind. */

import { writeFileSync } from 'node:fs';
import { buildBaseline } from './baseline.ts';
import { type BenchOptions, parseBenchOptions, UsageError } from './bench-options.ts';
import { HELP, listPresets } from './help.ts';
import { Leftovers } from './leftovers.ts';
import { describeMachine } from './machine.ts';
import { QuantityError } from './quantity.ts';
import { formatHtml } from './report/html-report.ts';
import type { ProgressOutput } from './report/live-display.ts';
import { formatReport } from './report/text-table.ts';
import { countErrors, type Report } from './result.ts';
import { ScenarioError } from './scenario-grammar.ts';
import { runSession, type SessionResult } from './session.ts';
import { chooseTarget, serverTarget } from './targets/choose-target.ts';
import { type Target, TargetError } from './targets/target.ts';

/** What the command sees of the process that it runs in. */
export interface BenchIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** Reports. */
  readonly writeOut: (text: string) => void;
  /** Progress and messages. */
  readonly writeError: (text: string) => void;
  /** True when progress goes to a terminal, of this many columns. */
  readonly isTerminal: boolean;
  readonly columns: number;
}

const EXIT = { right: 0, wrong: 1, usage: 2, interrupted: 130 } as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the command with the arguments behind its name, and resolves with the exit status. Never rejects. */
export async function runBench(argv: readonly string[], io: BenchIo): Promise<number> {
  try {
    const options = parseBenchOptions(argv, io.environment);
    if (options === 'help' || options === 'list') {
      io.writeOut(options === 'help' ? HELP : listPresets());
      return EXIT.right;
    }
    return await runGuarded(options, argv, io);
  } catch (error) {
    io.writeError(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ||
      error instanceof QuantityError ||
      error instanceof ScenarioError ||
      error instanceof TargetError
      ? EXIT.usage
      : EXIT.wrong;
  }
}

/** Runs with a guard on every way out: a first signal ends the run in order, a second one at once. */
async function runGuarded(options: BenchOptions, argv: readonly string[], io: BenchIo): Promise<number> {
  const leftovers = new Leftovers();
  const interruption = new AbortController();
  const clear = (): void => leftovers.clear();
  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
  };
  process.on('exit', clear);
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    const targets = await makeTargets(options, io, leftovers);
    const result = await runSession({
      options,
      targets,
      cores: describeMachine().cores,
      leftovers,
      signal: interruption.signal,
      output: progressOutput(options, io),
    });
    return writeReports(options, argv, io, result);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    io.writeError('\nbench: interrupted\n');
    return EXIT.interrupted;
  } finally {
    clear();
    process.off('exit', clear);
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

function progressOutput({ isQuiet }: BenchOptions, io: BenchIo): ProgressOutput {
  return { write: isQuiet ? () => undefined : io.writeError, isTerminal: io.isTerminal, columns: io.columns };
}

async function makeTargets(options: BenchOptions, io: BenchIo, leftovers: Leftovers): Promise<Target[]> {
  if (options.baseline === null) return options.targets.map((text) => chooseTarget(text, options.target, leftovers));
  const [directory = '.'] = options.directories;
  io.writeError(`building the working tree and ${options.baseline} …\n`);
  const { workingTree, baseline, warning } = await buildBaseline(
    io.workingFolder,
    options.baseline,
    directory,
    leftovers,
  );
  if (warning !== null) io.writeError(`${warning}\n`);
  return [workingTree, baseline].map(({ name, distFolder }) =>
    serverTarget({ name, distFolder, settings: new Map() }, options.target, leftovers),
  );
}

function writeReports(
  options: BenchOptions,
  argv: readonly string[],
  io: BenchIo,
  { runs, comparisons }: SessionResult,
): number {
  const report: Report = {
    title: options.scenarios.map(({ name }) => name).join(', '),
    madeAt: new Date().toISOString(),
    command: `bench ${hideSecrets(argv).join(' ')}`,
    machine: describeMachine(),
    runs,
    comparisons,
  };
  const json = `${JSON.stringify(report, null, 1)}\n`;
  if (options.jsonFile === '-') io.writeOut(json);
  else io.writeOut(formatReport(report));
  if (options.jsonFile !== null && options.jsonFile !== '-') writeFileSync(options.jsonFile, json);
  if (options.htmlFile !== null) writeFileSync(options.htmlFile, formatHtml(report));
  const isRight = runs.every((run) => countErrors(run) === 0);
  const isEnough = comparisons.every((comparison) => comparison.isEnough !== false);
  return isRight && isEnough ? EXIT.right : EXIT.wrong;
}

/** The command line for the report, without what must not stand there. */
function hideSecrets(argv: readonly string[]): string[] {
  return argv.map((word, index) => {
    if (/^--(delete-)?secret=/.test(word)) return word.replace(/=.*/s, '=…');
    return /^--(delete-)?secret$/.test(argv[index - 1] ?? '') ? '…' : word;
  });
}
