/**
 * Strikes the calls that one server makes on its store: kills the process before the Nth one, cuts the power there, or
 * lets it fail. The counting is done inside the server, by `store-faults.c`; this side writes the plan into a file that
 * both map.
 */

import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../../support/project-root.ts';
import { command } from './host.ts';

/** `changes`: alters the store or makes an alteration durable. */
export type CallKind = 'changes' | 'reads' | 'closes';

export type Strike =
  /** The process ends before the call. */
  | { readonly type: 'kill' }
  /** The file system loses what was not synced, then the process ends before the call. */
  | { readonly type: 'power-cut' }
  | { readonly type: 'fail'; readonly error: keyof typeof constants.errno }
  /** The call takes or gives half of what it was asked for. */
  | { readonly type: 'shorten' }
  | { readonly type: 'delay'; readonly milliseconds: number };

export interface FaultPlan {
  readonly strike: Strike;
  /** Number of the first struck call, from 1. */
  readonly first: number;
  /** Number of the last one; `first` when it is not given. */
  readonly last?: number;
  readonly kinds?: readonly CallKind[];
  /** Only calls of this name are counted. */
  readonly only?: string;
}

export interface StoreCall {
  readonly kind: CallKind;
  readonly name: string;
  /** Below the store, with a leading slash. */
  readonly path: string;
}

const PLAN_BYTES = 64;
const kindBits: Readonly<Record<CallKind, number>> = { changes: 1, reads: 2, closes: 4 };
const kindLetters: Readonly<Record<string, CallKind>> = { c: 'changes', r: 'reads', l: 'closes' };
const actions: Readonly<Record<Strike['type'], number>> = { kill: 1, 'power-cut': 2, fail: 3, shorten: 4, delay: 5 };
/** Offset of `calls` in `struct plan`. */
const CALLS_OFFSET = 20;
const ONLY_OFFSET = 24;
/** A server that makes no call for this long has done all that an answer leaves to be done. */
const QUIET_MS = 250;

let library: string | null = null;

export class StoreFaults {
  private readonly folder: string;
  private readonly storeDir: string;
  private plan: FaultPlan | null = null;

  /** `storeDir` without links in its path: it is compared with what the kernel says. */
  constructor(storeDir: string) {
    this.storeDir = storeDir;
    this.folder = mkdtempSync(join(tmpdir(), 'hmac-store-faults-'));
    writeFileSync(this.planFile, Buffer.alloc(PLAN_BYTES));
    writeFileSync(this.traceFile, '');
  }

  /** What the server's environment needs. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: compiledLibrary(),
      STORE_FAULTS_ROOT: this.storeDir,
      STORE_FAULTS_PLAN: this.planFile,
      STORE_FAULTS_TRACE: this.traceFile,
      // Otherwise libuv may hand work to the kernel without a call.
      UV_USE_IO_URING: '0',
    };
  }

  /** Calls are counted from here. Without a plan nothing is struck. */
  arm(plan: FaultPlan | null = null, kinds: readonly CallKind[] = plan?.kinds ?? ['changes']): void {
    this.disarm();
    this.plan = plan;
    truncateSync(this.traceFile);
    const bytes = Buffer.alloc(PLAN_BYTES);
    const { strike } = plan ?? {};
    const values = [
      kinds.reduce((bits, kind) => bits | kindBits[kind], 0),
      strike === undefined ? 0 : actions[strike.type],
      strike === undefined ? 0 : valueFor(strike),
      plan?.first ?? 0,
      plan?.last ?? plan?.first ?? 0,
    ];
    for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * Uint32Array.BYTES_PER_ELEMENT);
    bytes.write(plan?.only ?? '', ONLY_OFFSET, 'latin1');
    // The kinds arm the plan: they come when all else stands.
    this.writePlan(bytes.subarray(4), 4);
    this.writePlan(bytes.subarray(0, 4), 0);
  }

  disarm(): void {
    this.writePlan(Buffer.alloc(4), 0);
  }

  /** Calls counted since the plan was armed, in their order. The struck one is among them. */
  calls(): readonly StoreCall[] {
    const lines = readFileSync(this.traceFile, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [, letter = '', name = '', path = ''] = /^(.) (\w+) (.*)$/.exec(line) ?? [];
      return { kind: kindLetters[letter] ?? 'changes', name, path };
    });
  }

  /**
   * Resolves to the calls when there were none for a while: nothing announces that something does not happen. After a
   * strike that ends the process there is nothing to wait for.
   */
  async quiet(): Promise<readonly StoreCall[]> {
    for (let before = -1, now = this.count(); before !== now && !this.isOver(now); now = this.count()) {
      before = now;
      await delay(QUIET_MS);
    }
    return this.calls();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private isOver(calls: number): boolean {
    const { strike, first } = this.plan ?? {};
    return (strike?.type === 'kill' || strike?.type === 'power-cut') && calls >= (first ?? Number.POSITIVE_INFINITY);
  }

  private count(): number {
    return readFileSync(this.planFile).readUInt32LE(CALLS_OFFSET);
  }

  private get planFile(): string {
    return join(this.folder, 'plan');
  }

  private get traceFile(): string {
    return join(this.folder, 'trace');
  }

  private writePlan(bytes: Uint8Array, at: number): void {
    const fd = openSync(this.planFile, 'r+');
    writeSync(fd, bytes, 0, bytes.length, at);
    closeSync(fd);
  }
}

function valueFor(strike: Strike): number {
  if (strike.type === 'fail') return constants.errno[strike.error];
  return strike.type === 'delay' ? strike.milliseconds : 0;
}

/** Compiled once for each test process. */
function compiledLibrary(): string {
  if (library !== null) return library;
  const folder = mkdtempSync(join(tmpdir(), 'hmac-store-faults-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  library = join(folder, 'store-faults.so');
  const source = join(projectRoot, 'test/fault/support/store-faults.c');
  command('gcc', '-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl');
  return library;
}
