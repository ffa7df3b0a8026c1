/**
 * The front end: listens itself, or gets its connections from an acceptor on another thread, and turns requests into
 * Exchanges. Together with this folder's other files the only code that knows uWebSockets.js.
 *
 * The library reads a certificate once. A new one therefore means a new application that gets the connections from then
 * on; the socket that listens belongs to an acceptor then, so that it stays open and no connection is lost.
 */

import { ListenSocket } from './listen-socket.ts';
import { type CertificateFiles, ServedApp, type ServedAppOptions } from './served-app.ts';
import { type ServerDescriptor, UwsAcceptor } from './uws-acceptor.ts';

const TICK_MS = 1_000;

export interface UwsServerOptions extends Omit<ServedAppOptions, 'newRequestId'> {
  /** Prefix of request ids, so that they stay unique across restarts and ports. */
  readonly name: string;
}

/** What listens for the server on this thread. */
type Door = ListenSocket | UwsAcceptor;

export class UwsServer {
  private readonly options: UwsServerOptions;
  private current: ServedApp;
  /** Of earlier certificates, until their last connection has ended. */
  private readonly earlier = new Set<ServedApp>();
  private door: Door | null = null;
  private requests = 0;
  private ticker: NodeJS.Timeout | null = null;

  constructor(options: UwsServerOptions) {
    this.options = options;
    this.current = this.createApp(options.certificate);
  }

  /** Listens on a TCP port. Resolves to the port, or to null when the address cannot be had; see ListenSocket. */
  async listen(host: string, port: number, isShared: boolean): Promise<number | null> {
    const bound = await this.openDoor().listen(host, port, isShared);
    if (bound !== null) this.startClock();
    return bound;
  }

  /** Listens on a unix socket. The caller has made sure that nothing lies at the path: the library would remove it. */
  async listenUnix(path: string): Promise<boolean> {
    const isListening = await this.openDoor().listenUnix(path);
    if (isListening) this.startClock();
    return isListening;
  }

  /** Gets its connections from an acceptor on another thread instead; returns what the acceptor knows it by. */
  attach(): ServerDescriptor {
    this.startClock();
    return this.current.descriptor;
  }

  /**
   * Connections from now on get this certificate. Returns what an acceptor on another thread is to know the server by;
   * once it does, `retire` is due. Errors: the library's, when the certificate cannot be used; nothing has changed then.
   */
  renew(certificate: CertificateFiles): ServerDescriptor {
    const previous = this.current;
    this.current = this.createApp(certificate);
    this.earlier.add(previous);
    const { descriptor } = this.current;
    if (this.door instanceof UwsAcceptor) {
      this.door.add(descriptor);
      this.door.remove(previous.descriptor);
      this.retire();
    }
    return descriptor;
  }

  /** Nobody hands connections to what was there before `renew`: those that are open are told to close. */
  retire(): void {
    for (const app of this.earlier) app.drain();
  }

  /** Connections are told to close with their next answer; new ones are taken. */
  drain(): void {
    for (const app of this.apps) app.drain();
  }

  /** Connections are kept again; those of an earlier certificate are not. */
  resume(): void {
    this.current.resume();
  }

  /** Takes no new connections either. */
  stopListening(): void {
    this.drain();
    if (this.door instanceof UwsAcceptor) this.door.stopListening();
    else this.door?.close();
  }

  /** Ends every connection at once, also those that an acceptor has sent on their way. */
  closeAll(): void {
    this.stopListening();
    if (this.ticker !== null) clearInterval(this.ticker);
    for (const app of this.apps) app.close();
    this.door?.close();
  }

  private get apps(): readonly ServedApp[] {
    return [this.current, ...this.earlier];
  }

  private createApp(certificate: CertificateFiles | null): ServedApp {
    return new ServedApp({ ...this.options, certificate, newRequestId: () => this.newRequestId() });
  }

  private newRequestId(): string {
    this.requests += 1;
    return `${this.options.name}-${this.requests.toString(36)}`;
  }

  private openDoor(): Door {
    const { uws, certificate } = this.options;
    const door = certificate === null ? new ListenSocket(uws, this.current.native) : new UwsAcceptor(uws, true);
    if (door instanceof UwsAcceptor) door.add(this.current.descriptor);
    this.door = door;
    return door;
  }

  private startClock(): void {
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  private tick(): void {
    const nowMs = performance.now();
    for (const app of this.apps) app.tick(nowMs);
    for (const app of this.earlier) {
      if (!app.isAbandoned) continue;
      this.earlier.delete(app);
      app.close();
    }
  }
}
