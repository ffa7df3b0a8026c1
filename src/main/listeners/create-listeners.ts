/** One listener lives on the main thread; several have threads of their own. Nobody else makes the difference. */

import { divideAmongListeners } from '../plane-share.ts';
import { ListenerThreads, type ListenerThreadsDependencies } from './listener-threads.ts';
import type { Listeners } from './listeners.ts';
import { MainThreadListener } from './main-thread-listener.ts';

export function createListeners(parts: Omit<ListenerThreadsDependencies, 'shares'>): Listeners {
  const [first, ...others] = divideAmongListeners(parts.config);
  if (others.length === 0) return new MainThreadListener({ ...parts, share: first, plane: 0 });
  return new ListenerThreads({ ...parts, shares: [first, ...others] });
}
