/**
 * Webhooks: a subscriber that tells events to a receiver of the operator, at least once each. Events are put into a
 * queue and a journal and that is all; whatever the receiver does, no publisher notices.
 */

import type { Config } from '../config/config.ts';
import type { EventSubscriptions } from '../events/event-dispatcher.ts';
import { errorFields } from '../events/log-line.ts';
import type { Logger } from '../events/logger.ts';
import { WebhookJournal } from './webhook-journal.ts';
import { createMessage, type WebhookMessage } from './webhook-message.ts';
import { type WebhookFigures, WebhookSender } from './webhook-sender.ts';

const TIMEOUT_MS = 15_000;
/** How often somebody looks whether another process has left messages behind. */
const ADOPTION_INTERVAL_MS = 60_000;

export interface WebhooksDependencies {
  readonly config: NonNullable<Config['webhook']>;
  readonly events: EventSubscriptions;
  readonly logger: Pick<Logger, 'log'>;
}

export class Webhooks {
  private readonly dependencies: WebhooksDependencies;
  private readonly journal: WebhookJournal;
  private readonly sender: WebhookSender;
  private readonly unsubscribe: (() => void)[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(dependencies: WebhooksDependencies) {
    const { config, logger } = dependencies;
    this.dependencies = dependencies;
    this.journal = new WebhookJournal({
      folder: config.queueFolder,
      onError: (error) => logger.log('error', 'The webhook queue cannot be written', errorFields(error)),
    });
    this.sender = new WebhookSender({
      url: config.url,
      secret: config.secret,
      capacity: config.queueSize,
      timeoutMs: TIMEOUT_MS,
      onDone: (id) => this.journal.done(id),
      onTrouble: (reason) => {
        if (reason === null) logger.log('warning', 'The webhook receiver takes messages again');
        else logger.log('error', 'The webhook receiver fails', { error: reason });
      },
    });
  }

  get figures(): WebhookFigures {
    return this.sender.figures;
  }

  /** Opens the queue, takes over what earlier processes left, and begins to listen. Rejects with the system's error. */
  async start(): Promise<void> {
    await this.journal.open();
    await this.adopt();
    const { config, events } = this.dependencies;
    for (const type of config.events) {
      this.unsubscribe.push(events.on(type, (event) => this.take(createMessage(event))));
    }
    this.timer = setInterval(() => void this.adoptLater(), ADOPTION_INTERVAL_MS).unref();
  }

  /** Keeps what was not delivered for the next start. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    for (const end of this.unsubscribe.splice(0)) end();
    await this.sender.stop();
    await this.journal.close();
  }

  private take(message: WebhookMessage): void {
    // A message without room is not written down either: the journal is as bounded as the queue.
    this.journal.add(message);
    if (!this.sender.offer(message)) this.journal.done(message.id);
  }

  private async adopt(): Promise<void> {
    for (const message of await this.journal.adopt()) {
      if (!this.sender.offer(message)) this.journal.done(message.id);
    }
  }

  private async adoptLater(): Promise<void> {
    try {
      await this.adopt();
    } catch (error) {
      this.dependencies.logger.log('error', 'The webhook queue cannot be read', errorFields(error));
    }
  }
}
