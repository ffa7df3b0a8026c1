/** Files that clients upload: sizes at which something changes, and names that people give. */

import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { content } from '../../support/paced-transfer.ts';

const MEBIBYTE = 1024 * 1024;

export interface SampleFile {
  readonly file: string;
  readonly name: string;
  readonly size: number;
}

const samples: readonly (readonly [name: string, size: number])[] = [
  ['empty.bin', 0],
  ['one.bin', 1],
  ['photo.jpg', 64 * 1024],
  ['Grüße 😀 100% + "a" & b?.png', 64 * 1024],
  ['Räksmörgås 100% + a & b?.png', 64 * 1024],
  ['no extension', MEBIBYTE],
  ['large.mp4', 100 * MEBIBYTE],
];

export class SampleFiles {
  readonly all: readonly SampleFile[];
  private readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'xmpp-files-'));
    this.all = samples.map(([name, size]) => {
      const file = join(this.folder, name);
      writeFileSync(file, content(name, size));
      return { file, name, size };
    });
    chmodSync(this.folder, 0o755);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Whether the bytes behind a URL are those of the file. */
export async function servesFile(url: string, { file, size }: SampleFile): Promise<boolean> {
  const response = await fetch(url);
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of response.body ?? []) {
    hash.update(chunk);
    length += chunk.length;
  }
  const expected = createHash('sha256').update(readFileSync(file)).digest('hex');
  return response.status === 200 && length === size && hash.digest('hex') === expected;
}
