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
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../../support/project-root.ts';
import { command } from './host.ts';

/** `changes`: alters the store; `changes beside syncs`: while a sync runs. `syncs`: makes an alteration durable. */
export type CallKind = 'changes' | 'changes beside syncs' | 'syncs' | 'reads' | 'closes';

/** Whatever leaves something in the store. */
const ALTERING: readonly CallKind[] = ['changes', 'syncs'];

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
  /** Kinds that are counted; `changes` and `syncs` when they are not given. */
  readonly kinds?: readonly CallKind[];
  /** Kinds that are struck; all that are counted when they are not given. */
  readonly striking?: readonly CallKind[];
  /** Only calls of this name are counted, and told of. */
  readonly only?: string;
}

export interface StoreCall {
  readonly kind: CallKind;
  readonly name: string;
  /** Below the store, with a leading slash. */
  readonly path: string;
  /** How many sectors of the disk had been written when it came; 0 unless the plan is to cut the power. */
  readonly sectors: number;
  readonly isStruck: boolean;
}

const PLAN_BYTES = 64;
const kindBits: Readonly<Record<CallKind, number>> = {
  changes: 1,
  reads: 2,
  closes: 4,
  syncs: 8,
  'changes beside syncs': 16,
};
const kindLetters: Readonly<Record<string, CallKind>> = {
  c: 'changes',
  b: 'changes beside syncs',
  s: 'syncs',
  r: 'reads',
  l: 'closes',
};
const actions: Readonly<Record<Strike['type'], number>> = { kill: 1, 'power-cut': 2, fail: 3, shorten: 4, delay: 5 };
/** Offset of `only` in `struct plan`. */
const ONLY_OFFSET = 32;
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

  /** Calls are counted from here, and told of with all that alter the store. Without a plan nothing is struck. */
  arm(plan: FaultPlan | null = null): void {
    this.disarm();
    this.plan = plan;
    truncateSync(this.traceFile);
    const bytes = Buffer.alloc(PLAN_BYTES);
    const { strike, kinds = ALTERING, striking = kinds } = plan ?? {};
    const values = [
      bitsOf([...ALTERING, ...kinds]),
      bitsOf(kinds),
      bitsOf(striking),
      strike === undefined ? 0 : actions[strike.type],
      strike === undefined ? 0 : valueFor(strike),
      plan?.first ?? 0,
      plan?.last ?? plan?.first ?? 0,
    ];
    for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * Uint32Array.BYTES_PER_ELEMENT);
    bytes.write(plan?.only ?? '', ONLY_OFFSET, 'latin1');
    // What is to be told arms the plan: it comes when all else stands.
    this.writePlan(bytes.subarray(4), 4);
    this.writePlan(bytes.subarray(0, 4), 0);
  }

  disarm(): void {
    this.writePlan(Buffer.alloc(4), 0);
  }

  /** Calls since the plan was armed, in their order. The struck one is among them. */
  calls(): readonly StoreCall[] {
    const lines = readFileSync(this.traceFile, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [, letter = '', mark, sectors, name = '', path = ''] = /^(.)(!?) (\d+) (\w+) (.*)$/.exec(line) ?? [];
      return { kind: kindLetters[letter] ?? 'changes', name, path, sectors: Number(sectors), isStruck: mark === '!' };
    });
  }

  /**
   * Resolves to the calls when there were none for a while: nothing announces that something does not happen. After a
   * strike that ends the process there is nothing to wait for.
   */
  async quiet(): Promise<readonly StoreCall[]> {
    for (let before = -1, now = this.told(); before !== now && !this.isOver(); now = this.told()) {
      before = now;
      await delay(QUIET_MS);
    }
    return this.calls();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private isOver(): boolean {
    const type = this.plan?.strike.type;
    return (type === 'kill' || type === 'power-cut') && this.calls().some(({ isStruck }) => isStruck);
  }

  /** Grows with every call that is told of. */
  private told(): number {
    return statSync(this.traceFile).size;
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

function bitsOf(kinds: readonly CallKind[]): number {
  return kinds.reduce((bits, kind) => bits | kindBits[kind], 0);
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
