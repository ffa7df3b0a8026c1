/** The port between the harness and whatever it loads. */

import type { Endpoint } from '../endpoint.ts';

export interface Target {
  /** Short and unique within a report. */
  readonly name: string;
  /** True when the harness starts it, so that its store goes with the folder; false: files must be deleted one by one. */
  readonly isOurs: boolean;
  /** Starts it with an empty store below `folder`, and resolves when it accepts connections. */
  start(folder: string): Promise<RunningTarget>;
}

export interface RunningTarget {
  readonly endpoint: Endpoint;
  /** Version and settings, for the report. */
  readonly description: string;
  /** Its processes, for CPU time and memory; empty when they are not known. */
  pids(): number[];
  /** Ends it. What it stored goes with the folder. */
  stop(): Promise<void>;
}

/** A target that cannot be started or reached; the message says what to do. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
}
