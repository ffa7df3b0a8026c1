/** A real HTTP receiver of webhooks that keeps what it got, and can be told how to answer. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface ReceivedWebhook {
  readonly fields: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = (response: ServerResponse, count: number) => void;

export class WebhookReceiver {
  /** Everything that came, whatever was answered. */
  readonly received: ReceivedWebhook[] = [];
  /** How requests are answered from now on; 204 unless something else is said. */
  answer: Answer = (response) => response.writeHead(204).end();
  private readonly server: Server;
  private wake: () => void = () => {};

  private constructor() {
    this.server = createServer((request, response) => void this.take(request, response));
  }

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get url(): string {
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`;
  }

  /** Resolves when so many have come since the start. */
  async until(count: number): Promise<void> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  get ids(): readonly string[] {
    return this.received.map(({ fields }) => String(fields['webhook-id']));
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.received.push({ fields: request.headers, body });
    this.answer(response, this.received.length);
    this.wake();
  }
}
