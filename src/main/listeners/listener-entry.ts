/** What a listener thread runs: a host for one data plane, which hears main and ends by itself. */

import { parentPort, workerData } from 'node:worker_threads';
import { loadUws } from '../uws/load-uws.ts';
import { ListenerHost } from './listener-host.ts';
import type { FromListener, ListenerSettings, ToListener } from './listener-messages.ts';

if (parentPort === null) throw new Error('listener-entry.js is the entry of a thread');

const port = parentPort;
const settings: ListenerSettings = workerData;
const host = new ListenerHost({
  uws: await loadUws(),
  settings,
  send: (message: FromListener) => port.postMessage(message),
  exit: (status) => process.exit(status),
});
process.on('uncaughtException', (error) => host.fail(error));
port.on('message', (message: ToListener) => host.receive(message));
host.start();
