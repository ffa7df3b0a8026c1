/** A thread's part of one load: its share of the connections and of the rate, with their conversations and their loop. */

import type { Payload } from '../payload.ts';
import { seededRandom } from '../random.ts';
import { type Load, meanSize, readsFiles } from '../scenario.ts';
import { type Conversation, PutConversation, ReadConversation, UploadSeries } from './conversation.ts';
import { LoadLoop } from './load-loop.ts';
import { Quota } from './quota.ts';
import { type ReadableFile, RequestFactory } from './requests.ts';
import { ClosedSchedule, OpenSchedule } from './schedule.ts';
import type { ThreadPlan } from './thread-messages.ts';
import { TusConversation } from './tus-conversation.ts';

/** Signed requests prepared ahead: enough for the first seconds, a few megabytes of memory. */
const DECK = 20_000;
const DECK_BYTES = 4e9;
const SLOW_READ_BYTES = 16 * 1024;

export interface LoadPart {
  readonly loop: LoadLoop;
  /** Settles when the loop is over. */
  readonly finished: Promise<void>;
  /** The files that this part uploads; null when it only reads. */
  readonly series: UploadSeries | null;
  /** Begins at `startMs` (monotonic), nothing new after `endMs`. */
  start(startMs: number, endMs: number): void;
}

export interface LoadPartSettings {
  readonly plan: ThreadPlan;
  /** The load of the plan, or what the warm-up makes of it. */
  readonly load: Load;
  readonly phase: 'warm-up' | 'measure';
  readonly payload: Payload;
  readonly readBuffer: Buffer;
  readonly files: readonly ReadableFile[];
}

/** Connections of this thread: thread 0 takes the first, thread 1 the second, and so on in turn. */
function ownConnections({ plan, load }: LoadPartSettings): number {
  return Math.ceil((load.connections - plan.threadIndex) / plan.threads);
}

/** The beat that an open loop needs in this thread; null for a closed loop. */
export function beatOf(
  load: Load,
  plan: Pick<ThreadPlan, 'threads' | 'threadIndex'>,
  startMs: number,
): { firstMs: number; intervalMs: number } | null {
  if (load.ratePerSecond === null) return null;
  const wholeIntervalMs = 1e3 / load.ratePerSecond;
  return { firstMs: startMs + wholeIntervalMs * plan.threadIndex, intervalMs: wholeIntervalMs * plan.threads };
}

function conversations(
  settings: LoadPartSettings,
  series: UploadSeries | null,
  factory: RequestFactory,
): Conversation[] {
  const { plan, load, phase, files } = settings;
  const quota = new Quota(phase === 'measure' ? plan.quota : plan.warmUpQuota, plan.loadIndex, load.maxRequests);
  return Array.from({ length: ownConnections(settings) }, (_, connection) => {
    if (series === null) {
      const random = seededRandom((plan.threadIndex + 1) * 1e6 + plan.loadIndex * 1e5 + connection);
      return new ReadConversation({ files, load, factory, quota, random });
    }
    if (load.operation === 'append') {
      return new TusConversation({ factory, series, quota, pieceBytes: load.pieceBytes });
    }
    return new PutConversation(series, quota);
  });
}

function makeSeries({ plan, load, phase }: LoadPartSettings, factory: RequestFactory): UploadSeries {
  const prefix = `${plan.runId}/${phase}-${plan.loadIndex}-${plan.threadIndex}`;
  const series = new UploadSeries(factory, prefix, load.sizes, (plan.threadIndex + 1) * 1e7 + plan.loadIndex * 1e8);
  const most = Math.min(DECK, load.maxRequests ?? DECK, Math.ceil(DECK_BYTES / Math.max(1, meanSize(load.sizes))));
  if (load.operation === 'put' && phase === 'measure') series.prepare(most);
  return series;
}

export function makeLoadPart(settings: LoadPartSettings): LoadPart {
  const { plan, load, payload, readBuffer } = settings;
  const factory = new RequestFactory(plan.endpoint, load.isChurning);
  const series = readsFiles(load) ? null : makeSeries(settings, factory);
  let announceEnd: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    announceEnd = resolve;
  });
  const loop = new LoadLoop({
    load,
    endpoint: plan.endpoint,
    payload,
    readBuffer: load.bytesPerSecond === null ? readBuffer : readBuffer.subarray(0, SLOW_READ_BYTES),
    conversations: conversations(settings, series, factory),
    onFinished: () => announceEnd(),
  });
  const start = (startMs: number, endMs: number): void => {
    const beat = beatOf(load, plan, startMs);
    const random = load.arrivals === 'poisson' ? seededRandom(plan.threadIndex + 77) : null;
    loop.start(beat === null ? new ClosedSchedule() : new OpenSchedule({ ...beat, random }), endMs);
  };
  return { loop, finished, series, start };
}
