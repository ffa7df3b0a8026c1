/**
 * The path of a unix socket before and after listening: the library that listens removes whatever lies there, be it a
 * live socket or somebody's file, so it is looked at first. Start-up only.
 */

import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';

const SOCKET_MODE = 0o660;

/** Removes a socket that nobody answers on. Returns why the path cannot be used; null: it can. */
export async function claimSocketPath(path: string): Promise<string | null> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isSocket()) return `${path} exists and is no socket; it was left alone`;
  if (await isAnswered(path)) return `another process listens on ${path}`;
  rmSync(path);
  return null;
}

/** For the owner and the group: proxies run as another user. */
export function openSocketToGroup(path: string): void {
  chmodSync(path, SOCKET_MODE);
}

export function removeSocket(path: string): void {
  rmSync(path, { force: true });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
