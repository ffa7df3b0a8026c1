/**
 * A complete, rightly signed upload that stands where it must not be read as a request: behind a refused one, in a body,
 * in a trailer section. Whether anybody read it shows on the disk and in the log.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { linesUpToNow } from './log-marker.ts';
import { requestBytes } from './raw-http.ts';
import type { ServerProcess } from './server-process.ts';
import { publicTreeOf } from './store-state.ts';

const BODY = 'hidden upload';

export class HiddenPuts {
  private readonly server: ServerProcess;
  /** Begins the name of each of them, and of no other file. */
  private readonly prefix = `hidden-${randomBytes(6).toString('hex')}-`;
  private count = 0;

  constructor(server: ServerProcess) {
    this.server = server;
  }

  /** Bytes of the next one; each has a name of its own. */
  next(): Buffer {
    this.count += 1;
    const target = this.server.signedTarget(`${this.prefix}${this.count}`, BODY.length);
    return requestBytes('PUT', target, {}, BODY);
  }

  /** Asserts that none was ever taken for a request. */
  async assertUnseen(): Promise<void> {
    assert.ok(this.count > 0);
    const lines = await linesUpToNow(this.server);
    const seen = lines.filter((line) => String(line['path'] ?? '').startsWith(`/files/${this.prefix}`));
    assert.deepEqual(seen, []);
    const stored = publicTreeOf(this.server.storeDir).filter((file) => file.startsWith(this.prefix));
    assert.deepEqual(stored, []);
  }
}
