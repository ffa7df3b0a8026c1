/** The lane's end of the channel: messages are packed as they leave, and unpacked as they come. */

import type { LanePort } from '../shared/messages.ts';
import { type PackedPort, packFromLane, unpackToLane } from '../shared/packed-messages.ts';

export function lanePortOver(port: PackedPort): LanePort {
  return {
    postMessage: (messages, moved) => port.postMessage(messages.map(packFromLane), moved),
    on: (event, listener) => port.on(event, (messages) => listener(messages.map(unpackToLane))),
    once: (event, listener) => port.once(event, listener),
  };
}
