/** A site of another origin, with pages that tests write: what strangers do with uploaded files, and clients in browsers. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

export class ForeignSite {
  origin = '';
  /** Targets of all requests, in order. */
  readonly requests: string[] = [];
  private readonly server: Server;
  private readonly pages = new Map<string, string>();

  private constructor() {
    this.server = createServer((request, response) => {
      const target = request.url ?? '';
      this.requests.push(target);
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(this.pages.get(target) ?? '');
    });
  }

  static async start(): Promise<ForeignSite> {
    const site = new ForeignSite();
    site.server.listen(0, '127.0.0.1');
    await once(site.server, 'listening');
    const address = site.server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    site.origin = `http://127.0.0.1:${address.port}`;
    return site;
  }

  /** Puts up a page, and answers its URL. */
  page(target: string, html: string): string {
    this.pages.set(target, html);
    return this.origin + target;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
