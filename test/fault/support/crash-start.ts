/** Crashes a server before one of the calls that its start, or what it does of its own accord then, makes on the store. */

import { ServerProcess, type TomlSettings } from '../../support/server-process.ts';
import type { Crash } from './crash-points.ts';
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

/** Returns the call of that number, before which the server ended; null: the event came first, and the crash then. */
export async function crashStart(start: CrashedStart, number: number): Promise<string | null> {
  const { fileSystem, faults, settings, crash } = start;
  const isPowerCut = crash === 'power-cut';
  faults.arm({ strike: { type: crash }, first: number });
  const server = ServerProcess.spawn({ storeDir: fileSystem.storeDir, environment: faults.environment, settings });
  await Promise.race([server.exited, server.event(start.until)]);
  // What the server does beside its work may be struck after the event as well.
  faults.disarm();
  const call = faults.calls()[number - 1];
  if (call === undefined) server.kill('SIGKILL');
  const { signal } = await server.exited;
  if (signal !== 'SIGKILL') throw new Error(`the server did not start: ${server.errors}`);
  if (call === undefined && isPowerCut) fileSystem.cutPower();
  await server.stop();
  if (isPowerCut) fileSystem.remount();
  return call === undefined ? null : `${call.name} ${call.path}`;
}

/** Puts a copy of a store in the place of the store, and makes it durable. Nobody may use the store. */
export function restoreStore(fileSystem: LoopFileSystem, copy: string): void {
  const { storeDir } = fileSystem;
  command('rm', '-rf', storeDir);
  command('cp', '--archive', copy, storeDir);
  command('sync', '--file-system', storeDir);
}
