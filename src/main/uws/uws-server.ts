/**
 * The front end: one uWebSockets.js application that turns each request into an Exchange and hands it on in the same
 * turn. It listens itself, or gets its connections from an acceptor on another thread. Together with this folder's other
 * files the only code that knows uWebSockets.js.
 */

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { SlotTable } from '../../shared/slot-table.ts';
import { clientAddress, type Peer, type TrustedProxies } from '../http/client-address.ts';
import type { Exchange, RequestHead } from '../http/exchange.ts';
import type { FieldLine } from '../http/field-line.ts';
import { readFraming } from '../http/framing.ts';
import { ListenSocket } from './listen-socket.ts';
import type { UwsModule } from './load-uws.ts';
import { proxiedAddressOf, remoteAddressOf } from './remote-address.ts';
import type { ServerDescriptor } from './uws-acceptor.ts';
import { type ExchangeHost, UwsExchange } from './uws-exchange.ts';

const TICK_MS = 1_000;

/** A number that may be counted together with other servers. */
export interface OpenCount {
  add(change: number): void;
  /** Returns the new number, of all that count together. */
  addAndSum(change: number): number;
}

export interface UwsServerOptions {
  readonly uws: UwsModule;
  /** Prefix of request ids, so that they stay unique across restarts and ports. */
  readonly name: string;
  /** Open connections, and the number above which new ones are closed at once. */
  readonly connections: OpenCount;
  readonly maxConnections: number;
  /** Requests that have not been answered completely. */
  readonly requests: OpenCount;
  /** Whose word about client addresses is taken. */
  readonly proxies: () => TrustedProxies;
  /** Told about once a second how many body bytes have moved since the last time. */
  readonly traffic?: { add(receivedBytes: number, sentBytes: number): void };
  /** Called in the turn in which the request arrived. Throwing closes the connection. */
  readonly handle: (exchange: Exchange) => void;
  /** An exception that reached the transport: a bug. */
  readonly onError: (error: unknown) => void;
  readonly onConnection?: (change: 'opened' | 'closed', open: number, remote: string) => void;
}

/** What the typings leave out. */
interface AppWithDescriptor {
  getDescriptor(): ServerDescriptor;
}

export class UwsServer implements ExchangeHost {
  isDraining = false;
  private readonly options: UwsServerOptions;
  private readonly app: TemplatedApp;
  private readonly exchanges = new SlotTable<UwsExchange>();
  private readonly listenSocket: ListenSocket;
  private isClosed = false;
  private requests = 0;
  /** Body bytes since the last tick. */
  private receivedBytes = 0;
  private sentBytes = 0;
  private ticker: NodeJS.Timeout | null = null;

  constructor(options: UwsServerOptions) {
    this.options = options;
    this.app = options.uws.App();
    // One route for everything: without a match the library closes the connection silently.
    this.app.any('/*', (res, req) => this.receive(res, req));
    this.listenSocket = new ListenSocket(options.uws, this.app);
    this.app.filter((res, change) => this.countConnection(res, Number(change)));
  }

  /** Listens on a TCP port. Resolves to the port, or to null when the address cannot be had. */
  async listen(host: string, port: number): Promise<number | null> {
    const bound = await this.listenSocket.listen(host, port);
    if (bound !== null) this.startClock();
    return bound;
  }

  /** Listens on a unix socket. The caller has made sure that nothing lies at the path: the library would remove it. */
  async listenUnix(path: string): Promise<boolean> {
    const isListening = await this.listenSocket.listenUnix(path);
    if (isListening) this.startClock();
    return isListening;
  }

  /** Gets its connections from an acceptor on another thread instead; returns what the acceptor knows it by. */
  attach(): ServerDescriptor {
    this.startClock();
    return (this.app as unknown as AppWithDescriptor).getDescriptor();
  }

  /** Takes no new connections; those that are open are told to close with their next answer. */
  stopListening(): void {
    this.isDraining = true;
    this.listenSocket.close();
  }

  /** Ends every connection at once, also those that an acceptor has sent on their way. */
  closeAll(): void {
    this.stopListening();
    this.isClosed = true;
    if (this.ticker !== null) clearInterval(this.ticker);
    for (const exchange of [...this.exchanges]) exchange.close('shutdown');
    this.app.close();
  }

  peerOf(res: HttpResponse): Peer {
    const announced = this.options.proxies().isEmpty ? '' : proxiedAddressOf(res);
    return { address: remoteAddressOf(res), announced };
  }

  isProxy({ address }: Peer): boolean {
    return this.options.proxies().includes(address);
  }

  clientOf(peer: Peer, { fields }: RequestHead): string {
    const proxies = this.options.proxies();
    return proxies.isEmpty ? peer.address : clientAddress(peer, fields, proxies);
  }

  began(exchange: UwsExchange): number {
    this.options.requests.add(1);
    return this.exchanges.add(exchange);
  }

  ended(ticket: number): void {
    this.exchanges.remove(ticket);
    this.options.requests.add(-1);
  }

  moved(receivedBytes: number, sentBytes: number): void {
    this.receivedBytes += receivedBytes;
    this.sentBytes += sentBytes;
  }

  failed(error: unknown): void {
    this.options.onError(error);
  }

  private startClock(): void {
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  private receive(res: HttpResponse, req: HttpRequest): void {
    this.requests += 1;
    const requestId = `${this.options.name}-${this.requests.toString(36)}`;
    const exchange = new UwsExchange({ res, head: snapshot(req), requestId, host: this });
    try {
      this.options.handle(exchange);
      exchange.turnEnded();
    } catch (error) {
      this.options.onError(error);
      exchange.close('io');
    }
  }

  private countConnection(res: HttpResponse, change: number): void {
    const { onConnection, connections, maxConnections } = this.options;
    const open = connections.addAndSum(change);
    if (change < 0) onConnection?.('closed', open, '');
    else {
      onConnection?.('opened', open, remoteAddressOf(res));
      // Above the cap descriptors would run out, and the accept loop would spin.
      if (open > maxConnections || this.isClosed) res.close();
    }
  }

  private tick(): void {
    const nowMs = performance.now();
    for (const exchange of [...this.exchanges]) exchange.tick(nowMs);
    if (this.receivedBytes + this.sentBytes === 0) return;
    this.options.traffic?.add(this.receivedBytes, this.sentBytes);
    this.receivedBytes = 0;
    this.sentBytes = 0;
  }
}

/** Native memory of the request dies when the handler returns. */
function snapshot(req: HttpRequest): RequestHead {
  const fields: FieldLine[] = [];
  req.forEach((name, value) => {
    fields.push({ name, value });
  });
  const query: string | undefined = req.getQuery();
  return {
    // `getMethod` lower-cases in place.
    method: req.getCaseSensitiveMethod(),
    path: req.getUrl(),
    query: query ?? null,
    fields,
    framing: readFraming(fields),
  };
}
