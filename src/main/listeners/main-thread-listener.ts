/** The one listener of a server with `Listeners = 1`: its data plane lives on the main thread, and no message is needed. */

import type { Config } from '../config/config.ts';
import { DataPlane, type DataPlaneDependencies } from '../data-plane.ts';
import type { Port } from '../front-end.ts';
import type { PoolStats } from '../lanes/worker-pool.ts';
import type { Listeners } from './listeners.ts';

export class MainThreadListener implements Listeners {
  readonly droppedEvents = 0;
  readonly latestLag = null;
  private readonly plane: DataPlane;
  private isServing = false;

  constructor(dependencies: DataPlaneDependencies) {
    this.plane = new DataPlane(dependencies);
  }

  get port(): Port {
    return this.plane.server;
  }

  get serving(): number {
    return Number(this.isServing);
  }

  get poolStats(): PoolStats {
    return this.plane.poolStats;
  }

  async start(): Promise<void> {
    this.plane.open();
  }

  storeOpened(): void {
    this.plane.start();
    this.isServing = true;
  }

  async applyConfig(config: Config): Promise<void> {
    this.plane.applyConfig(config);
  }

  readLag(): null {
    return null;
  }

  drain(): void {
    this.plane.server.drain();
  }

  resume(): void {
    this.plane.server.resume();
  }

  stopAccepting(): void {
    this.plane.server.stopListening();
  }

  async stop(): Promise<void> {
    this.isServing = false;
    await this.plane.stop();
  }

  async abandon(): Promise<void> {}
}
