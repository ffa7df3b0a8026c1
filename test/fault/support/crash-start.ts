/** Crashes a server at one point of its start, or of what it does of its own accord then. */

import { ServerProcess, type TomlSettings } from '../../support/server-process.ts';
import { type Crash, crashFrom, type Struck, struckAmong } from './crash.ts';
import { command } from './host.ts';
import type { LoopFileSystem } from './loop-file-system.ts';
import type { StoreFaults } from './store-faults.ts';

export interface CrashedStart {
  readonly fileSystem: LoopFileSystem;
  readonly faults: StoreFaults;
  readonly settings: TomlSettings;
  readonly crash: Crash;
  /** The event after which there is nothing left to be struck. */
  readonly until: string;
}

/** Crashes a start at its first point from that call on. Without one the event comes first, and the crash then. */
export async function crashStart(start: CrashedStart, from: number): Promise<Struck> {
  const { fileSystem, faults, settings, crash } = start;
  const isPowerCut = crash === 'power-cut';
  faults.arm(crashFrom(crash, from));
  const server = ServerProcess.spawn({ storeDir: fileSystem.storeDir, environment: faults.environment, settings });
  await Promise.race([server.exited, server.event(start.until)]);
  // What the server does beside its work may be struck after the event as well.
  faults.disarm();
  const struck = struckAmong(faults.calls());
  if (struck.call === null) server.kill('SIGKILL');
  const { signal } = await server.exited;
  if (signal !== 'SIGKILL') throw new Error(`the server did not start: ${server.errors}`);
  if (struck.call === null && isPowerCut) fileSystem.cutPower();
  await server.stop();
  if (isPowerCut) fileSystem.remount();
  return struck;
}

/** Puts a copy of a store in the place of the store, and makes it durable. Nobody may use the store. */
export function restoreStore(fileSystem: LoopFileSystem, copy: string): void {
  const { storeDir } = fileSystem;
  command('rm', '-rf', storeDir);
  command('cp', '--archive', copy, storeDir);
  command('sync', '--file-system', storeDir);
}
