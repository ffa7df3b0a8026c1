/**
 * Who set the pace of a run. A figure in which the generator was the limit says nothing about the server, so it is marked; the rule
 * errs on the side of marking.
 */

/**
 * `others`: all cores were busy, many of them with other processes. `machine`: they were busy with the two of us, and the server had
 * at least as much of them as the generator. `none`: somebody waited.
 */
export type Limit = 'generator' | 'others' | 'server' | 'machine' | 'none';

export interface Shares {
  readonly cores: number;
  /** Cores in use by all processes of the machine, on average. */
  readonly busyCores: number;
  readonly generatorCores: number;
  /** Null: not known. */
  readonly generatorBusiestThread: number | null;
  /** Null: not known. */
  readonly serverCores: number | null;
  readonly serverBusiestThread: number | null;
  /** Open loops: how late the generator sent, against the latency that it measured. */
  readonly latenessP99Ms: number;
  readonly latencyP99Ms: number;
}

const SATURATED_THREAD = 0.9;
const SATURATED_MACHINE = 0.95;
const DISTURBED_MACHINE = 0.15;
/** An open loop that is this late, and by half of what it measures, measures itself. */
const LATE_MS = 2;

export function findLimit(shares: Shares): Limit {
  const { latenessP99Ms, latencyP99Ms, serverBusiestThread } = shares;
  if (latenessP99Ms > LATE_MS && latenessP99Ms > latencyP99Ms / 2) return 'generator';
  const own = shares.generatorBusiestThread ?? shares.generatorCores;
  if (own >= SATURATED_THREAD && own > (serverBusiestThread ?? 0)) return 'generator';
  if (shares.busyCores >= shares.cores * SATURATED_MACHINE) return whoFillsTheMachine(shares);
  return (serverBusiestThread ?? 0) >= SATURATED_THREAD ? 'server' : 'none';
}

function whoFillsTheMachine({ cores, busyCores, generatorCores, serverCores }: Shares): Limit {
  if (serverCores === null) return 'generator';
  const otherCores = busyCores - generatorCores - serverCores;
  if (otherCores > cores * DISTURBED_MACHINE) return 'others';
  return serverCores >= generatorCores ? 'machine' : 'generator';
}
