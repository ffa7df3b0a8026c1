/** Runs the command `bench` in this process and reads its JSON report. */

import { type BenchIo, runBench } from '../../bench/index.ts';
import type { LoadResult, Report, RunResult } from '../../bench/result.ts';

export interface BenchOutcome {
  readonly status: number;
  readonly out: string;
  readonly error: string;
  readonly report: Report;
  /** The only run, or the first. */
  readonly run: RunResult;
  /** The first load of that run. */
  readonly load: LoadResult;
}

/** Runs `bench ARGUMENTS` without a warm-up, with its temporary folders in `directory`. Throws when there is no report. */
export async function bench(
  line: string,
  directory: string,
  environment: BenchIo['environment'] = {},
): Promise<BenchOutcome> {
  let out = '';
  let error = '';
  const status = await runBench([...line.split(' '), '--warm-up', '0', '--dir', directory, '--json', '-'], {
    environment,
    workingFolder: directory,
    writeOut: (text) => {
      out += text;
    },
    writeError: (text) => {
      error += text;
    },
    isTerminal: false,
    columns: 80,
  });
  if (!out.startsWith('{')) throw new Error(`no report: ${error}${out}`);
  const report = JSON.parse(out) as Report;
  const run = report.runs[0];
  const load = run?.loads[0];
  if (run === undefined || load === undefined) throw new Error('an empty report');
  return { status, out, error, report, run, load };
}
