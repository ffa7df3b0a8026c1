/**
 * A data plane on a thread of its own, and that thread's end of the conversation with main. Rule: the thread is never
 * ended from outside, because open sockets in its event loop would take the whole process with them. It ends itself,
 * after it has let go of everything.
 */

import { SharedFlag } from '../../shared/shared-flag.ts';
import type { Config } from '../config/config.ts';
import { DataPlane } from '../data-plane.ts';
import { EventLoopLag } from '../events/event-loop-lag.ts';
import { EventRelay } from '../events/event-relay.ts';
import { StoreHealthReporter } from '../store/store-health.ts';
import type { UwsModule } from '../uws/load-uws.ts';
import type { FromListener, ListenerSettings, ToListener } from './listener-messages.ts';

const FIGURES_INTERVAL_MS = 1_000;
/** After a bug, lanes get this long to discard what is left; a healthy thread waits for them. */
const FAILED_STOP_MS = 2_000;

export interface ListenerHostDependencies {
  readonly uws: UwsModule;
  readonly settings: ListenerSettings;
  readonly send: (message: FromListener) => void;
  /** Ends the thread. */
  readonly exit: (status: number) => void;
}

export class ListenerHost {
  private readonly plane: DataPlane;
  private readonly relay: EventRelay;
  private readonly lag = new EventLoopLag();
  private readonly send: (message: FromListener) => void;
  private readonly exit: (status: number) => void;
  private ticker: NodeJS.Timeout | null = null;
  /** When the thread is started. */
  private readonly isStoreOpen: boolean;
  private hasFailed = false;

  constructor({ uws, settings, send, exit }: ListenerHostDependencies) {
    this.send = send;
    this.exit = exit;
    const { interests, memory, isStoreOpen } = settings;
    this.isStoreOpen = isStoreOpen;
    this.relay = new EventRelay({ interests, send: (batch) => send({ type: 'events', batch }) });
    const health = new StoreHealthReporter({
      flag: new SharedFlag(memory.degraded),
      send: (failure) => send({ type: 'store.failed', failure }),
    });
    this.plane = new DataPlane({ ...settings, uws, events: this.relay, health });
  }

  start(): void {
    this.plane.open();
    if (this.isStoreOpen) this.plane.start();
    this.lag.start();
    this.ticker = setInterval(() => this.tellFigures(), FIGURES_INTERVAL_MS);
    this.tellFigures();
    this.send({ type: 'ready', server: this.plane.server.attach() });
  }

  receive(message: ToListener): void {
    switch (message.type) {
      case 'config':
        this.applyConfig(message.config);
        break;
      case 'retire':
        this.plane.server.retire();
        break;
      case 'interests':
        this.relay.setInterests(message.interests);
        break;
      case 'events.taken':
        this.relay.taken();
        break;
      case 'store.opened':
        this.plane.start();
        break;
      case 'resume':
        this.plane.server.resume();
        break;
      case 'drain':
        this.plane.server.drain();
        break;
      case 'stop':
        void this.stop();
        break;
      case 'abandon':
        void this.abandon();
        break;
      default:
        message satisfies never;
    }
  }

  /** A bug: main stops the connections that are still to come, and then this thread. */
  fail(error: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
    this.send({ type: 'failed', message, stack, transfers: this.plane.openRequests });
  }

  private applyConfig(config: Config): void {
    const server = this.plane.applyConfig(config);
    if (server !== null) this.send({ type: 'renewed', server });
    // What happened under the old configuration is told before the new one is.
    this.relay.flush();
    this.send({ type: 'config.applied' });
  }

  private async stop(): Promise<void> {
    await arrivals();
    if (this.ticker !== null) clearInterval(this.ticker);
    this.lag.stop();
    const stopped = this.plane.stop();
    await (this.hasFailed ? Promise.race([stopped, after(FAILED_STOP_MS)]) : stopped);
    await this.end();
  }

  private async abandon(): Promise<void> {
    this.plane.server.closeAll();
    await this.end();
  }

  private async end(): Promise<void> {
    this.relay.flush();
    // The library closes sockets at the end of the turn.
    await nextTurn();
    this.exit(this.hasFailed ? 1 : 0);
  }

  private tellFigures(): void {
    this.send({ type: 'figures', figures: { pool: this.plane.poolStats, lag: this.lag.read() } });
  }
}

/** Connections that were handed over before main stopped doing so have arrived after two turns. */
async function arrivals(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
