/** A site of another origin, with pages that tests write: what strangers do with uploaded files, and clients in browsers. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

const HTML = 'text/html; charset=utf-8';

export class ForeignSite {
  origin = '';
  /** Targets of all requests, in order. */
  readonly requests: string[] = [];
  private readonly server: Server;
  private readonly pages = new Map<string, { readonly body: string; readonly type: string }>();

  private constructor() {
    this.server = createServer((request, response) => {
      const target = request.url ?? '';
      this.requests.push(target);
      const { body, type } = this.pages.get(target) ?? { body: '', type: HTML };
      if (type !== '') response.setHeader('Content-Type', type);
      response.end(body);
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

  /** Puts up a page, and answers its URL. An empty type is none. */
  page(target: string, body: string, type = HTML): string {
    this.pages.set(target, { body, type });
    return this.origin + target;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
