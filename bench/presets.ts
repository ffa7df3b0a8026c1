/** Scenarios with a name: the rows that this project sets itself as goals, and sets of them. */

import type { Scenario } from './scenario.ts';
import { parseScenario } from './scenario-grammar.ts';

interface Preset {
  readonly title: string;
  readonly text: string;
}

/** Each row in the grammar of `scenario-grammar.ts`. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  'put-2g': { title: 'one PUT of 2 GiB', text: 'put size=2GiB connections=1 requests=3' },
  'put-256m': { title: '8 PUTs of 256 MiB at a time', text: 'put size=256MiB connections=8 requests=24' },
  'put-1m': { title: 'PUT of 1 MiB', text: 'put size=1MiB connections=32' },
  'put-64k': { title: 'PUT of 64 KiB', text: 'put size=64KiB connections=32' },
  'put-mix': {
    title: 'PUT of random sizes',
    text: 'put size=1KiB..64KiB:70,64KiB..1MiB:25,1MiB..16MiB:5 connections=32',
  },
  'get-16k': { title: 'GET of 16 KiB', text: 'get size=16KiB connections=32' },
  'get-1m': { title: 'GET of 1 MiB', text: 'get size=1MiB connections=16' },
  'get-1g': { title: 'GET of 1 GiB', text: 'get size=1GiB connections=1' },
  'get-1g-16': { title: '16 GETs of 1 GiB at a time', text: 'get size=1GiB connections=16' },
  'get-range': {
    title: 'ranged GET of 64 KiB out of 64 MiB',
    text: 'get size=64MiB range=64KiB files=8 connections=32',
  },
  'head-16k': { title: 'HEAD', text: 'head size=16KiB connections=32' },
  mixed: { title: '80 % reads, 20 % writes', text: 'mixed reads=80% size=4KiB..1MiB connections=20' },
  flood: {
    title: 'small GETs at a fixed rate during a flood of 8 PUTs of 1 GiB',
    text: 'put size=1GiB connections=8 requests=8 + get size=16KiB rate=200 connections=8 name=probe',
  },
  slow: {
    title: 'quick PUTs beside 200 clients of 32 KiB/s',
    text: 'put size=64KiB speed=32KiB connections=200 name=slow + put size=64KiB rate=100 connections=8 name=quick',
  },
  churn: { title: 'a new connection for every GET', text: 'get size=16KiB connections=16 churn' },
  append: { title: 'tus uploads of 8 MiB in pieces of 1 MiB', text: 'append size=8MiB piece=1MiB connections=8' },
};

/** Names that stand for several presets. */
export const PRESET_SETS: Readonly<Record<string, readonly string[]>> = {
  goals: ['put-2g', 'put-256m', 'put-64k', 'put-1m', 'get-16k', 'get-1m', 'get-1g', 'get-1g-16', 'flood'],
  small: ['put-64k', 'get-16k', 'head-16k'],
};

/** The scenarios behind a name; null when nothing has that name. */
export function findPreset(name: string, defaultDurationMs: number): readonly Scenario[] | null {
  const members = PRESET_SETS[name] ?? (PRESETS[name] === undefined ? null : [name]);
  if (members === null) return null;
  return members.flatMap((member) => {
    const preset = PRESETS[member];
    return preset === undefined ? [] : [parseScenario(preset.text, defaultDurationMs, preset.title)];
  });
}
