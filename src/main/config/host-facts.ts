/** What automatic values and warnings depend on besides the settings: the machine. */

import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

export interface HostFacts {
  readonly cores: number;
  readonly memoryBytes: number;
  /**
   * The kernel hands waiting connections of a shared port that one process closes to the other process, instead of
   * resetting them (`net.ipv4.tcp_migrate_req`).
   */
  readonly migratesConnections: boolean;
}

const MIGRATE_SETTING = '/proc/sys/net/ipv4/tcp_migrate_req';

export function readHostFacts(): HostFacts {
  return { cores: availableParallelism(), memoryBytes: totalmem(), migratesConnections: migratesConnections() };
}

function migratesConnections(): boolean {
  try {
    return readFileSync(MIGRATE_SETTING, 'latin1').trim() === '1';
  } catch {
    // Linux before 5.14, or no Linux.
    return false;
  }
}
