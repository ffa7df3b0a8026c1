/** The words for who set the pace of a run. */

import type { Limit } from '../limit.ts';

export const LIMIT_WORDS: Readonly<Record<Limit, { readonly short: string; readonly meaning: string }>> = {
  generator: {
    short: 'GENERATOR',
    meaning: 'the load generator was the limit: the figure is a lower bound for the server',
  },
  others: { short: 'OTHERS', meaning: 'other processes kept the cores busy: the figure says little' },
  machine: { short: 'machine', meaning: 'all cores were busy, and the server had at least half of what both used' },
  server: { short: 'server', meaning: 'a thread of the server was saturated' },
  none: { short: 'waiting', meaning: 'nobody was saturated: the rate, the disk or the latency set the pace' },
};
