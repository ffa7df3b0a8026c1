/**
 * A wall clock of its own for a server, by libfaketime: it can be set while the server runs. The monotonic clock and the
 * times of files stay real.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeTimeLibrary } from './host.ts';

export class FakeClock {
  private readonly folder: string;

  /** `offset` is what `set` takes. */
  constructor(offset: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'hmac-clock-'));
    this.set(offset);
  }

  /** What the server's environment needs. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** Such as `+0`, `+2h`, `-1d`, `+10y`: by how much the clock is wrong from now on. */
  set(offset: string): void {
    writeFileSync(this.file, `${offset}\n`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get file(): string {
    return join(this.folder, 'offset');
  }
}

function library(): string {
  const path = fakeTimeLibrary();
  if (path === null) throw new Error('libfaketime is missing: apt-get install libfaketime');
  return path;
}
