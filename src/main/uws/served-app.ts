/**
 * One application of the library and the requests on its connections: each becomes an Exchange and is handed on in the
 * same turn. A server has one at a time; with a new certificate comes a new one, while the old one serves its connections
 * to their end.
 */

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { SlotTable } from '../../shared/slot-table.ts';
import { clientAddress, type Peer, type TrustedProxies } from '../http/client-address.ts';
import type { Exchange, RequestHead } from '../http/exchange.ts';
import type { FieldLine } from '../http/field-line.ts';
import { readFraming } from '../http/framing.ts';
import type { UwsModule } from './load-uws.ts';
import { proxiedAddressOf, remoteAddressOf } from './remote-address.ts';
import type { StalledReaders } from './stalled-readers.ts';
import type { ServerDescriptor } from './uws-acceptor.ts';
import { type ExchangeHost, UwsExchange } from './uws-exchange.ts';

/** Exchanges that are looked at in one turn of the event loop. */
const TICKED_AT_ONCE = 128;

/** Where the library reads a certificate and its key (PEM). */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A number that may be counted together with other servers. */
export interface OpenCount {
  add(change: number): void;
  /** Returns the new number, of all that count together. */
  addAndSum(change: number): number;
}

export interface ServedAppOptions {
  readonly uws: UwsModule;
  /** null: without TLS. */
  readonly certificate: CertificateFiles | null;
  readonly newRequestId: () => string;
  /** Open connections, and the number above which new ones are closed at once. */
  readonly connections: OpenCount;
  readonly maxConnections: number;
  /** Requests that have not been answered completely. */
  readonly requests: OpenCount;
  /** Those of them of which the body of the answer is on its way. */
  readonly streams: OpenCount;
  /** Whose word about client addresses is taken. */
  readonly proxies: () => TrustedProxies;
  /** How long clients may leave an answer where it is. */
  readonly readers: StalledReaders;
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

export class ServedApp implements ExchangeHost {
  isDraining = false;
  /** What an acceptor knows it by. */
  readonly descriptor: ServerDescriptor;
  readonly native: TemplatedApp;
  readonly readers: StalledReaders;
  private readonly options: ServedAppOptions;
  private readonly exchanges = new SlotTable<UwsExchange>();
  private isClosed = false;
  private open = 0;
  private emptyTicks = 0;
  /** Body bytes since the last tick. */
  private receivedBytes = 0;
  private sentBytes = 0;

  /** Errors: the library's, when a certificate cannot be used. */
  constructor(options: ServedAppOptions) {
    const { uws, certificate } = options;
    this.options = options;
    this.readers = options.readers;
    this.native = certificate === null ? uws.App() : uws.SSLApp(tlsOptions(certificate));
    // One route for everything: without a match the library closes the connection silently.
    this.native.any('/*', (res, req) => this.receive(res, req));
    this.native.filter((res, change) => this.countConnection(res, Number(change)));
    this.descriptor = (this.native as unknown as AppWithDescriptor).getDescriptor();
  }

  /** Nothing has been connected to it for a while: nobody hands it connections, and none is on its way. */
  get isAbandoned(): boolean {
    return this.isDraining && this.emptyTicks > 1;
  }

  /** Its connections are told to close with their next answer. */
  drain(): void {
    this.isDraining = true;
  }

  resume(): void {
    this.isDraining = false;
  }

  /** Ends every connection at once, also those that an acceptor has sent on their way. */
  close(): void {
    this.drain();
    this.isClosed = true;
    for (const exchange of [...this.exchanges]) exchange.close('shutdown');
    this.native.close();
  }

  /** Called about once a second. */
  tick(nowMs: number): void {
    this.emptyTicks = this.open === 0 ? this.emptyTicks + 1 : 0;
    tickInTurns([...this.exchanges], nowMs);
    if (this.receivedBytes + this.sentBytes === 0) return;
    this.options.traffic?.add(this.receivedBytes, this.sentBytes);
    this.receivedBytes = 0;
    this.sentBytes = 0;
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

  streamBegan(): void {
    this.options.streams.add(1);
  }

  ended(exchange: UwsExchange, ticket: number, hasStreamed: boolean): void {
    this.exchanges.remove(ticket);
    this.readers.forget(exchange);
    if (hasStreamed) this.options.streams.add(-1);
    this.options.requests.add(-1);
  }

  moved(receivedBytes: number, sentBytes: number): void {
    this.receivedBytes += receivedBytes;
    this.sentBytes += sentBytes;
  }

  failed(error: unknown): void {
    this.options.onError(error);
  }

  private receive(res: HttpResponse, req: HttpRequest): void {
    const requestId = this.options.newRequestId();
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
    this.open += change;
    const open = connections.addAndSum(change);
    if (change < 0) onConnection?.('closed', open, '');
    else {
      onConnection?.('opened', open, remoteAddressOf(res));
      // Above the cap descriptors would run out, and the accept loop would spin.
      if (open > maxConnections || this.isClosed) res.close();
    }
  }
}

/** A crowd whose time is over goes in parts: closing a connection costs some 10 microseconds, and others wait meanwhile. */
function tickInTurns(exchanges: readonly UwsExchange[], nowMs: number): void {
  for (const exchange of exchanges.slice(0, TICKED_AT_ONCE)) exchange.tick(nowMs);
  if (exchanges.length > TICKED_AT_ONCE) setImmediate(() => tickInTurns(exchanges.slice(TICKED_AT_ONCE), nowMs));
}

function tlsOptions({ certFile, keyFile }: CertificateFiles): { cert_file_name: string; key_file_name: string } {
  return { cert_file_name: certFile, key_file_name: keyFile };
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
    // No longer than it is: an array that has grown keeps room for more, as long as the request waits.
    fields: fields.slice(),
    framing: readFraming(fields),
  };
}
