/**
 * Listens for servers on other threads, or on this one: takes every connection and hands it to one of them in turn, before a byte of it
 * is read. While there is none, connections are closed at once.
 *
 * A server must be removed here before its thread ends: the library writes into it from this thread.
 */

import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { ListenSocket } from './listen-socket.ts';
import type { UwsModule } from './load-uws.ts';

/** Names a server of this process, from `UwsServer.attach`. */
export type ServerDescriptor = number;

/** What the typings leave out. */
interface AppWithChildren {
  addChildAppDescriptor(descriptor: ServerDescriptor): unknown;
  removeChildAppDescriptor(descriptor: ServerDescriptor): unknown;
}

export class UwsAcceptor {
  private readonly app: TemplatedApp & AppWithChildren;
  private readonly listenSocket: ListenSocket;

  /** All of its servers speak TLS, or none does. It has no certificate itself: no connection stays with it. */
  constructor(uws: UwsModule, isTls: boolean) {
    this.app = (isTls ? uws.SSLApp({}) : uws.App()) as TemplatedApp & AppWithChildren;
    this.app.any('/*', (res) => void res.close());
    this.app.filter((res, change) => refuse(res, Number(change)));
    this.listenSocket = new ListenSocket(uws, this.app);
  }

  listen(host: string, port: number, isShared: boolean): Promise<number | null> {
    return this.listenSocket.listen(host, port, isShared);
  }

  listenUnix(path: string): Promise<boolean> {
    return this.listenSocket.listenUnix(path);
  }

  /** From now on the server gets its share of the connections. */
  add(server: ServerDescriptor): void {
    this.app.addChildAppDescriptor(server);
  }

  /** The server gets no more connections; those that it has been handed may not have reached it yet. */
  remove(server: ServerDescriptor): void {
    this.app.removeChildAppDescriptor(server);
  }

  stopListening(): void {
    this.listenSocket.close();
  }

  close(): void {
    this.stopListening();
    this.app.close();
  }
}

/** There is no server: the connection ends before a byte of it is read. */
function refuse(res: HttpResponse, change: number): void {
  if (change > 0) res.close();
}
