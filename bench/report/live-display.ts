/** Progress while a run is under way: one line that is rewritten on a terminal, a line now and then elsewhere. */

import type { Progress } from '../progress.ts';
import { formatDecimal, formatMs } from '../quantity.ts';
import type { RunResult } from '../result.ts';

const PLAIN_EVERY_SECONDS = 2;

export interface ProgressOutput {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Width of the terminal. */
  readonly columns: number;
}

export class LiveDisplay {
  private readonly output: ProgressOutput;
  private readonly totalRuns: number;
  private doneRuns = 0;
  private lastPlain = '';

  constructor(output: ProgressOutput, totalRuns: number) {
    this.output = output;
    this.totalRuns = totalRuns;
  }

  show(progress: Progress): void {
    const line = `${this.prefix()} ${describeProgress(progress)}`;
    if (this.output.isTerminal) {
      this.output.write(`\r\x1b[2K${[...line].slice(0, this.output.columns - 1).join('')}`);
      return;
    }
    const stretch = Math.floor(progress.elapsedSeconds / PLAIN_EVERY_SECONDS);
    const key = `${this.doneRuns} ${stretch}`;
    if (progress.phase !== 'measuring' || stretch === 0 || key === this.lastPlain) return;
    this.lastPlain = key;
    this.output.write(`${line}\n`);
  }

  /** A run is over: its line stays. */
  finish(run: RunResult): void {
    const line = `${this.prefix()} ${run.target}: ${run.loads
      .map((load) => {
        const errors = Object.values(load.errors).reduce((sum, count) => sum + count, 0);
        return describeLoad(
          load.name,
          load.bytesPerSecond,
          load.requestsPerSecond,
          load.latency.p50Ms,
          load.latency.p99Ms,
          errors,
        );
      })
      .join(' | ')}`;
    this.doneRuns += 1;
    this.output.write(`${this.output.isTerminal ? '\r\x1b[2K' : ''}${line}\n`);
  }

  private prefix(): string {
    return `[${this.doneRuns + 1}/${this.totalRuns}]`;
  }
}

function describeProgress({ target, scenario, phase, elapsedSeconds, totalSeconds, loads }: Progress): string {
  if (phase !== 'measuring') return `${target}: ${scenario}: ${phase} …`;
  const time = totalSeconds >= 600 ? '' : ` of ${totalSeconds.toFixed(0)}`;
  const states = loads.map(({ name, latest, errors }) =>
    latest === null
      ? name
      : describeLoad(name, latest.bytesPerSecond, latest.requestsPerSecond, latest.p50Ms, latest.p99Ms, errors),
  );
  return `${target} ${elapsedSeconds.toFixed(1)}${time} s: ${states.join(' | ')}`;
}

function describeLoad(
  name: string,
  bytesPerSecond: number,
  requestsPerSecond: number,
  p50Ms: number,
  p99Ms: number,
  errors: number,
): string {
  const throughput = bytesPerSecond === 0 ? '' : `${formatDecimal(bytesPerSecond, 'B/s')}  `;
  const figures = `${throughput}${formatDecimal(requestsPerSecond, '/s')}`;
  const times = `p50 ${formatMs(p50Ms)}  p99 ${formatMs(p99Ms)}`;
  return `${name}: ${figures}  ${times}${errors > 0 ? `  ${errors} ERRORS` : ''}`;
}
