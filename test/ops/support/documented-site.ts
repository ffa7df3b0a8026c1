/**
 * The machine that the documents speak of: `hmac-file-server` is a command, a server runs with the configuration in the
 * working folder, and `dist` lies beside it. Nothing of a block is changed but addresses, and what stands for a value.
 */

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from '../../support/free-port.ts';
import { content } from '../../support/paced-transfer.ts';
import { type ProgramRun, runProgram } from '../../support/program.ts';
import { projectRoot } from '../../support/project-root.ts';
import { ServerProcess } from '../../support/server-process.ts';

/** As docs/signatures.md has it. */
export const SECRET = 'the secret';
export const DELETE_SECRET = 'another secret';

export class DocumentedSite {
  readonly server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.server = server;
    symlinkSync(join(projectRoot, 'dist'), join(server.folder, 'dist'));
    const command = join(projectRoot, 'dist/src/main/entry.cjs');
    mkdirSync(join(server.folder, 'bin'));
    writeFileSync(
      join(server.folder, 'bin/hmac-file-server'),
      `#!/bin/sh\nexec '${process.execPath}' '${command}' "$@"\n`,
      { mode: 0o755 },
    );
  }

  static async start(): Promise<DocumentedSite> {
    const settings = {
      // `sign` reads it from the configuration.
      ListenPort: `127.0.0.1:${await findFreePort()}`,
      Secret: SECRET,
      DeleteSecret: DELETE_SECRET,
      EnableVersioning: true,
      StoreDigest: true,
    };
    return new DocumentedSite(await ServerProcess.start({ settings }));
  }

  /** A file in the working folder, and its bytes. */
  file(name: string, sizeBytes: number): Buffer {
    const bytes = content(name, sizeBytes);
    writeFileSync(join(this.server.folder, name), bytes);
    return bytes;
  }

  /** Runs commands in the working folder; they fail at the first that fails, and the test with it. */
  async shell(commands: string): Promise<ProgramRun> {
    const { folder } = this.server;
    const environment = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
    const run = await runProgram('sh', ['-euc', commands], { debian: 'dash', cwd: folder, environment });
    assert.equal(run.status, 0, `${commands}\n${run.stdout}${run.stderr}`);
    return run;
  }

  async assertStored(path: string, bytes: Uint8Array): Promise<void> {
    const response = await fetch(`${this.server.origin}/files/${path}`);
    assert.equal(response.status, 200);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes), path);
  }
}
