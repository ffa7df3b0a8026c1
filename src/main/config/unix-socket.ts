/**
 * The path of a unix socket before and after listening: the library that listens removes whatever lies there, be it a
 * live socket or somebody's file, so it is looked at first. Start-up only.
 */

import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';

/** A socket file as it was made: another one may lie at its path later. */
export interface SocketFile {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** Removes a socket that nobody answers on. Returns why the path cannot be used; null: it can. */
export async function claimSocketPath(path: string): Promise<string | null> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isSocket()) return `${path} exists and is no socket; it was left alone`;
  if (await isAnswered(path)) return `another process listens on ${path}`;
  rmSync(path);
  return null;
}

/** Lets others than the owner connect, as configured, to the socket that was just made at the path. */
export function openSocket(path: string, mode: number): SocketFile {
  chmodSync(path, mode);
  const { dev, ino } = lstatSync(path, { bigint: true });
  return { path, device: dev, inode: ino };
}

/** Gives the socket a name that another one has; who connects gets the one or the other. */
export function moveSocket(file: SocketFile, path: string): SocketFile {
  renameSync(file.path, path);
  return { ...file, path };
}

/** Removes the socket, and nothing that has taken its place. */
export function removeSocket({ path, device, inode }: SocketFile): void {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found?.dev === device && found.ino === inode) rmSync(path);
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
