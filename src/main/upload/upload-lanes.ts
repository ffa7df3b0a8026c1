/**
 * Which lane a request on an upload goes to. Those on the same upload, or on the same slot, that run beside each other go
 * to one lane, so that they reach it in the order in which they came; others go wherever there is least to do.
 */

import type { LaneClient } from '../lanes/lane-client.ts';
import type { UploadCommand } from './upload-protocol.ts';

interface Running {
  readonly lane: LaneClient;
  requests: number;
}

export class UploadLanes {
  /** With a single lane nothing has to be remembered. */
  private readonly hasChoice: boolean;
  private readonly leastBusy: () => LaneClient;
  private readonly running = new Map<string, Running>();

  constructor({ hasChoice, leastBusy }: { hasChoice: boolean; leastBusy: () => LaneClient }) {
    this.hasChoice = hasChoice;
    this.leastBusy = leastBusy;
  }

  /** A request begins; `leave` has to follow. */
  enter(command: UploadCommand): LaneClient {
    if (!this.hasChoice) return this.leastBusy();
    const name = nameOf(command);
    const found = this.running.get(name);
    if (found !== undefined && !found.lane.isLost) {
      found.requests += 1;
      return found.lane;
    }
    const lane = this.leastBusy();
    this.running.set(name, { lane, requests: 1 + (found?.requests ?? 0) });
    return lane;
  }

  leave(command: UploadCommand): void {
    if (!this.hasChoice) return;
    const name = nameOf(command);
    const found = this.running.get(name);
    if (found === undefined) return;
    found.requests -= 1;
    if (found.requests === 0) this.running.delete(name);
  }
}

/** What requests on one upload have in common. */
function nameOf(command: UploadCommand): string {
  if (command.type === 'store') return command.grant.key;
  const { command: resumable } = command;
  if (resumable.type === 'create') return resumable.key;
  const { target } = resumable;
  return target.kind === 'slot' ? target.key : target.name.id;
}
