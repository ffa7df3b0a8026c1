/** The socket on which one application of the library listens: never shared with another server, closed once. */

import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { UwsModule } from './load-uws.ts';

/** `listen` as it is; the typings lack the form with a host and options. */
interface ListenWithOptions {
  listen(host: string, port: number, options: number, callback: (socket: us_listen_socket | false) => void): unknown;
}

/** Of `ListenOptions`, which is a type without values. By default the library shares a port silently. */
const SHARED_PORT = 0;
const EXCLUSIVE_PORT = 1;

export class ListenSocket {
  private readonly uws: UwsModule;
  private readonly app: TemplatedApp;
  private socket: us_listen_socket | null = null;

  constructor(uws: UwsModule, app: TemplatedApp) {
    this.uws = uws;
    this.app = app;
  }

  /** Resolves to the port, or to null when the address cannot be had. A shared port is had with others that share it. */
  listen(host: string, port: number, isShared: boolean): Promise<number | null> {
    return new Promise((resolve) => {
      const app = this.app as unknown as ListenWithOptions;
      app.listen(host, port, isShared ? SHARED_PORT : EXCLUSIVE_PORT, (socket) => {
        resolve(this.keep(socket) ? this.uws.us_socket_local_port(socket as us_listen_socket) : null);
      });
    });
  }

  /** The caller has made sure that nothing lies at the path: the library would remove it. */
  listenUnix(path: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.app.listen_unix((socket) => resolve(this.keep(socket)), path);
    });
  }

  close(): void {
    if (this.socket !== null) this.uws.us_listen_socket_close(this.socket);
    this.socket = null;
  }

  private keep(socket: us_listen_socket | false): boolean {
    if (socket === false) return false;
    this.socket = socket;
    return true;
  }
}
