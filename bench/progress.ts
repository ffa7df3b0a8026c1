/** What is known while a run is under way: for the live display. */

import type { LoadMoment } from './result.ts';

export interface LoadProgress {
  readonly name: string;
  /** Null before the first report. */
  readonly latest: LoadMoment | null;
  readonly errors: number;
}

export interface Progress {
  readonly scenario: string;
  readonly target: string;
  readonly phase: 'starting' | 'preparing' | 'warming up' | 'measuring' | 'checking' | 'cleaning';
  readonly elapsedSeconds: number;
  readonly totalSeconds: number;
  readonly loads: readonly LoadProgress[];
}
