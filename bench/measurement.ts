/** The measured time of a run: starts the loads, watches everybody, ends them together, and adds up. */

import { nowMs } from './clock.ts';
import { findLimit } from './limit.ts';
import type { LoadCrew } from './load/load-crew.ts';
import type { ThreadUsage } from './load/thread-usage.ts';
import { LoadCollector } from './load-collector.ts';
import { describeMachine, fileSystemOf, machineBusyMs } from './machine.ts';
import type { Progress } from './progress.ts';
import type { RunResult, ServerUsage } from './result.ts';
import type { Scenario } from './scenario.ts';
import { ServerWatch } from './targets/server-watch.ts';
import type { RunningTarget, Target } from './targets/target.ts';

const START_DELAY_MS = 100;
const DRAIN_MS = 20_000;

export interface MeasurementSettings {
  readonly scenario: Scenario;
  readonly target: Target;
  readonly running: RunningTarget;
  readonly crew: Pick<LoadCrew, 'measure' | 'end'>;
  /** Threads of each load. */
  readonly threads: readonly number[];
  readonly directory: string;
  readonly onProgress: (progress: Progress) => void;
}

interface Resources {
  readonly generatorCores: number;
  readonly server: ServerUsage | null;
  readonly busyCores: number;
}

export type Measured = Omit<RunResult, 'readBack' | 'filesLeft'>;

export class Measurement {
  private readonly settings: MeasurementSettings;
  private collectors: readonly LoadCollector[] = [];
  private readonly durationMs: number;
  /** First and last reading of each load thread's CPU time. */
  private readonly threadUsage = new Map<number, { readonly first: ThreadUsage; last: ThreadUsage }>();
  private startMs = 0;
  private endMs = 0;
  private isEnded = false;
  private stopWatching: (() => Resources) | null = null;
  private resources: Resources | null = null;

  constructor(settings: MeasurementSettings) {
    this.settings = settings;
    this.durationMs = Math.min(...settings.scenario.loads.map((load) => load.durationMs));
  }

  /** Measures once. */
  async run(): Promise<Measured> {
    const startedAt = new Date().toISOString();
    this.startMs = nowMs() + START_DELAY_MS;
    this.endMs = this.startMs + this.durationMs;
    const { scenario, threads } = this.settings;
    this.collectors = scenario.loads.map((load, index) => new LoadCollector(load, threads[index] ?? 1, this.startMs));
    // On a loaded machine a short load may be over before the turn of the timer comes.
    this.watch();
    const starter = setTimeout(() => this.watch(), START_DELAY_MS);
    const ender = setTimeout(() => this.end(this.endMs), START_DELAY_MS + this.durationMs);
    try {
      await this.settings.crew.measure(this.startMs, this.endMs, {
        onInterval: (load, thread, interval, usage) => {
          this.collectors[load]?.add(interval);
          if (usage !== null) this.noteThread(thread, usage);
          this.showProgress();
        },
        onLoadFinished: (lastMs) => this.end(lastMs === 0 ? nowMs() : lastMs),
      });
    } finally {
      clearTimeout(starter);
      clearTimeout(ender);
      this.resources ??= this.stopWatching?.() ?? null;
    }
    return this.result(startedAt);
  }

  /** Watches from now on, until the loads end. */
  private watch(): void {
    if (this.isEnded) return;
    this.stopWatching?.();
    this.stopWatching = watchResources(this.settings.running.pids());
  }

  /** The first load that is over ends them all: what the others do without it is another scenario. */
  private end(endMs: number): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.endMs = Math.min(this.endMs, endMs);
    this.settings.crew.end(this.endMs, DRAIN_MS);
    this.resources = this.stopWatching?.() ?? null;
  }

  private noteThread(thread: number, usage: ThreadUsage): void {
    const known = this.threadUsage.get(thread);
    if (known === undefined) this.threadUsage.set(thread, { first: usage, last: usage });
    else if (!this.isEnded || known.first === known.last) known.last = usage;
  }

  private showProgress(): void {
    const elapsedSeconds = (nowMs() - this.startMs) / 1e3;
    const { scenario, target } = this.settings;
    this.settings.onProgress({
      scenario: scenario.name,
      target: target.name,
      phase: 'measuring',
      elapsedSeconds,
      totalSeconds: this.durationMs / 1e3,
      loads: this.collectors.map((collector) => collector.status()),
    });
  }

  /** The largest share of a core that a load thread used. */
  private busiestThread(): number | null {
    const shares = [...this.threadUsage.values()].map(({ first, last }) =>
      last.atMs > first.atMs ? (last.cpuMs - first.cpuMs) / (last.atMs - first.atMs) : 0,
    );
    return shares.length === 0 ? null : Math.max(...shares);
  }

  private result(startedAt: string): Measured {
    const { scenario, target, running, directory, threads } = this.settings;
    const seconds = Math.max(1e-3, (this.endMs - this.startMs) / 1e3);
    const loads = this.collectors.map((collector) => collector.result(seconds));
    const resources = this.resources ?? { generatorCores: 0, server: null, busyCores: 0 };
    const { generatorCores, server, busyCores } = resources;
    const busiestThread = this.busiestThread();
    const bytes = loads.reduce((sum, load) => sum + load.bytes, 0);
    return {
      scenario: scenario.name,
      target: target.name,
      targetDescription: running.description,
      folder: target.isOurs ? `${fileSystemOf(directory)} (${directory})` : 'its own',
      startedAt,
      seconds,
      loads,
      generator: { threads: threads.reduce((sum, count) => sum + count, 0), cpuCores: generatorCores, busiestThread },
      server,
      cpuSecondsPerGb: server === null || bytes <= 0 ? null : server.cpuSeconds / (bytes / 1e9),
      otherCores: server === null ? 0 : Math.max(0, busyCores - generatorCores - server.cpuCores),
      limit: findLimit({
        cores: describeMachine().cores,
        busyCores,
        generatorCores,
        generatorBusiestThread: busiestThread,
        serverCores: server?.cpuCores ?? null,
        serverBusiestThread: server?.busiestThread ?? null,
        latenessP99Ms: Math.max(0, ...loads.map((load) => load.latenessP99Ms ?? 0)),
        latencyP99Ms: Math.max(0, ...loads.map((load) => (load.isOpenLoop ? load.latency.p99Ms : 0))),
      }),
    };
  }
}

/** Watches server, generator and machine from now on, until the returned function is called. */
function watchResources(pids: readonly number[]): () => Resources {
  const watch = new ServerWatch(pids);
  const cpuBefore = process.cpuUsage();
  const busyBefore = machineBusyMs();
  const startMs = nowMs();
  return () => {
    const elapsedMs = nowMs() - startMs;
    const cpu = process.cpuUsage(cpuBefore);
    return {
      generatorCores: (cpu.user + cpu.system) / 1e3 / elapsedMs,
      server: watch.end(),
      busyCores: (machineBusyMs() - busyBefore) / elapsedMs,
    };
  };
}
