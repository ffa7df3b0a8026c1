/**
 * Makes calls of `node:fs` fail in this very process, as the kernel would make them fail: what a broken disk says, on
 * any machine. The modules under test are untouched; they get the errors from Node's own functions.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type AnyFunction = (...args: readonly unknown[]) => unknown;

const functions = fs as unknown as Record<string, AnyFunction>;

/** Which calls fail: by default the first one, whatever its arguments. */
export interface FailingCall {
  readonly name: string;
  readonly code: string;
  /** Looks at the arguments; others do not count. */
  readonly matches?: (...args: readonly unknown[]) => boolean;
  /** So many matching calls succeed before. */
  readonly after?: number;
}

export interface Failing {
  /** Matching calls so far, the failing one included. */
  readonly calls: number;
  restore(): void;
}

/** Fails one call with a system error; asynchronous functions get it by their callback. */
export function failCall({ name, code, matches = () => true, after = 0 }: FailingCall): Failing {
  const original = functions[name];
  if (original === undefined) throw new Error(`node:fs has no ${name}`);
  let calls = 0;
  replace(name, (...args) => {
    if (!matches(...args)) return original(...args);
    calls += 1;
    if (calls !== after + 1) return original(...args);
    const error = Object.assign(new Error(`${code}: injected, ${name}`), { code, syscall: name });
    const callback = args.at(-1);
    if (name.endsWith('Sync') || typeof callback !== 'function') throw error;
    setImmediate(() => callback(error));
    return undefined;
  });
  return {
    get calls() {
      return calls;
    },
    restore: () => replace(name, original),
  };
}

function replace(name: string, by: AnyFunction): void {
  functions[name] = by;
  syncBuiltinESMExports();
}
