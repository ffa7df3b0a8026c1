/** Main's end of one listener thread: from its start to its exit, whoever asks for it. */

import { Worker } from 'node:worker_threads';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { Config } from '../config/config.ts';
import type { EventBatch } from '../events/event-relay.ts';
import type { ServerDescriptor } from '../uws/uws-acceptor.ts';
import type { FromListener, ListenerFigures, ListenerSettings, ToListener } from './listener-messages.ts';

/** As small as `entry.cts` makes it on the main thread, when clients are served there: three semi-spaces of 4 MiB. */
const YOUNG_GENERATION_MB = 12;

const entryFile = new URL('./listener-entry.js', import.meta.url);

/** What main does for a listener. */
export interface ListenerOwner {
  /** It can serve: hand connections to it. */
  attach(server: ServerDescriptor): void;
  /** Hand it no more. */
  detach(server: ServerDescriptor): void;
  publish(batch: EventBatch): void;
  figures(figures: ListenerFigures): void;
  storeFailed(failure: StorageFailure): void;
}

/** What a thread died of. */
export class ListenerError extends Error {
  override readonly name = 'ListenerError';
  /** Requests that were open, and are lost. */
  readonly transfers: number;

  constructor(message: string, options: { readonly stack?: string | undefined; readonly transfers?: number } = {}) {
    super(message);
    this.transfers = options.transfers ?? 0;
    if (options.stack !== undefined) this.stack = options.stack;
  }
}

export class ListenerThread {
  /** Resolves when the thread can serve. Rejects with a ListenerError when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when the thread is gone: to what it died of, or to null when it was asked to end. */
  readonly ended: Promise<ListenerError | null>;
  private readonly worker: Worker;
  private readonly owner: ListenerOwner;
  private server: ServerDescriptor | null = null;
  private cause: ListenerError | null = null;
  private isEnding = false;
  private readonly awaited: (() => void)[] = [];

  constructor(settings: ListenerSettings, owner: ListenerOwner) {
    this.owner = owner;
    this.worker = new Worker(entryFile, {
      workerData: settings,
      name: `listener-${settings.plane}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const { worker } = this;
    worker.on('error', (error: Error) => {
      this.cause ??= new ListenerError(error.message, { stack: error.stack });
    });
    this.ended = new Promise((resolve) => {
      worker.once('exit', (status) => {
        this.detach();
        resolve(this.isEnding ? this.cause : (this.cause ?? new ListenerError(`it ended with ${status}`)));
      });
    });
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (message: FromListener) => {
        this.receive(message);
        if (message.type === 'ready') resolve();
      });
      void this.ended.then((cause) => reject(cause ?? new ListenerError('it was stopped')));
    });
    // Whoever waits for it hears of it; nobody has to.
    this.ready.catch(() => undefined);
  }

  get isServing(): boolean {
    return this.server !== null;
  }

  send(message: ToListener): void {
    this.worker.postMessage(message);
  }

  /** Resolves when the configuration is in effect, or the thread is gone. */
  async applyConfig(config: Config): Promise<void> {
    const applied = new Promise<void>((resolve) => this.awaited.push(resolve));
    this.send({ type: 'config', config });
    await Promise.race([applied, this.ended]);
  }

  /** Asks the thread to end, once. */
  end(how: 'stop' | 'abandon'): void {
    this.isEnding = true;
    this.detach();
    this.send({ type: how });
  }

  private receive(message: FromListener): void {
    switch (message.type) {
      case 'ready':
        this.attach(message.server);
        break;
      case 'renewed':
        this.renew(message.server);
        break;
      case 'events':
        this.owner.publish(message.batch);
        this.send({ type: 'events.taken' });
        break;
      case 'figures':
        this.owner.figures(message.figures);
        break;
      case 'config.applied':
        this.awaited.shift()?.();
        break;
      case 'store.failed':
        this.owner.storeFailed(message.failure);
        break;
      case 'failed':
        this.cause ??= new ListenerError(message.message, message);
        this.end('stop');
        break;
      default:
        message satisfies never;
    }
  }

  private attach(server: ServerDescriptor): void {
    if (this.isEnding) return;
    this.server = server;
    this.owner.attach(server);
  }

  /** The new one first: there is a server at any time. */
  private renew(server: ServerDescriptor): void {
    const previous = this.server;
    this.attach(server);
    if (previous !== null) this.owner.detach(previous);
    this.send({ type: 'retire' });
  }

  private detach(): void {
    if (this.server !== null) this.owner.detach(this.server);
    this.server = null;
  }
}
