/**
 * Readers that take nothing, and how long each may do so. It may be an honest one at some KB a second, whose progress the
 * kernel shows in large steps only; so it has a minute. A crowd has ten seconds: while more stand still at once than one
 * client may have, or than there may be in all, every one of those concerned has less patience coming, until it takes
 * something. All data planes count together.
 */

import { AddressCounts } from '../../shared/address-counts.ts';
import { SharedCount } from '../../shared/shared-count.ts';
import { SharedFlag } from '../../shared/shared-flag.ts';
import { clientOf } from '../http/client-address.ts';
import type { Exchange } from '../http/exchange.ts';

const PATIENCE_MS = 60_000;
/** An honest reader at 4 KB a second, with the segments of a network, takes something more often. */
const SHORT_PATIENCE_MS = 10_000;
/** Who has taken nothing for so long stands still, and is counted. */
const STILL_AFTER_MS = 5_000;
/** More than a browser or a chat client opens at once. */
const MAX_OF_CLIENT = 16;
/** Each keeps up to 4 MB in the kernel. */
const MAX_IN_ALL = 256;

/** Memory of all data planes. */
export interface StalledReadersMemory {
  readonly ofClients: SharedArrayBuffer;
  readonly inAll: SharedArrayBuffer;
  readonly hurried: SharedArrayBuffer;
  /** Set while some are hurried, once one of them was let go. */
  readonly told: SharedArrayBuffer;
}

/** More readers stand still than may. */
export interface ReaderCrowd {
  /** Whose they are, as an IPv4 address or the first half of an IPv6 address; null: of different clients. */
  readonly client: string | null;
  readonly readers: number;
  readonly limit: number;
}

export type Reader = Pick<Exchange, 'lookUpRemote' | 'isFromProxyItself'>;

/** A reader that stands still. */
interface Stalled {
  /** null: nobody knows whose it is. */
  readonly client: string | null;
  readonly isCountedInAll: boolean;
  /** Of which it was one when it was last looked at in a crowd; null: it has been in none since it stands still. */
  crowd: ReaderCrowd | null;
}

export class StalledReaders {
  private readonly ofClients: AddressCounts;
  private readonly inAll: SharedCount;
  private readonly hurried: SharedCount;
  private readonly told: SharedFlag;
  private readonly onCrowd: (crowd: ReaderCrowd) => void;
  private readonly stalled = new Map<Reader, Stalled>();

  /** `onCrowd` is called once for each crowd: when the first of them is let go sooner than it would have been alone. */
  constructor(memory: StalledReadersMemory, plane: number, onCrowd: (crowd: ReaderCrowd) => void) {
    this.ofClients = new AddressCounts(memory.ofClients, plane);
    this.inAll = new SharedCount(memory.inAll, plane);
    this.hurried = new SharedCount(memory.hurried, plane);
    this.told = new SharedFlag(memory.told);
    this.onCrowd = onCrowd;
  }

  static allocate(planes: number): StalledReadersMemory {
    return {
      ofClients: AddressCounts.allocate(planes),
      inAll: SharedCount.allocate(planes),
      hurried: SharedCount.allocate(planes),
      told: SharedFlag.allocate(),
    };
  }

  /** What a data plane counted that is gone. */
  static forgetPlane(memory: StalledReadersMemory, plane: number): void {
    new AddressCounts(memory.ofClients, plane).clear();
    for (const count of [memory.inAll, memory.hurried]) new SharedCount(count, plane).set(0);
    new SharedFlag(memory.told).set(false);
  }

  /** How many milliseconds this reader may take nothing, which it has done for `stillMs`. Asked about once a second. */
  patienceWith(reader: Reader, stillMs: number): number {
    if (stillMs < STILL_AFTER_MS) {
      this.forget(reader);
      return PATIENCE_MS;
    }
    const stalled = this.stalled.get(reader) ?? this.count(reader);
    this.lookAround(stalled);
    if (stalled.crowd === null) return PATIENCE_MS;
    if (stillMs > SHORT_PATIENCE_MS && this.told.raise()) this.onCrowd(stalled.crowd);
    return SHORT_PATIENCE_MS;
  }

  /** It takes something, or is gone. */
  forget(reader: Reader): void {
    const stalled = this.stalled.get(reader);
    if (stalled === undefined) return;
    this.stalled.delete(reader);
    if (stalled.client !== null) this.ofClients.addAndSum(stalled.client, -1);
    if (stalled.isCountedInAll) this.inAll.add(-1);
    if (stalled.crowd !== null && this.hurried.addAndSum(-1) === 0) this.told.set(false);
  }

  private count(reader: Reader): Stalled {
    const client = clientOf(reader);
    // What one client has too many of is no reason to hurry the others.
    const isCountedInAll = client === null || this.ofClients.addAndSum(client, 1) <= MAX_OF_CLIENT;
    if (isCountedInAll) this.inAll.add(1);
    const stalled = { client, isCountedInAll, crowd: null };
    this.stalled.set(reader, stalled);
    return stalled;
  }

  /** Once in a crowd, it is hurried until it takes something: otherwise the last ones of each crowd would stay. */
  private lookAround(stalled: Stalled): void {
    const crowd = this.crowdAround(stalled);
    if (crowd === null) return;
    if (stalled.crowd === null) this.hurried.add(1);
    stalled.crowd = crowd;
  }

  private crowdAround({ client }: Stalled): ReaderCrowd | null {
    const ofClient = client === null ? 0 : this.ofClients.addAndSum(client, 0);
    if (ofClient > MAX_OF_CLIENT) return { client, readers: ofClient, limit: MAX_OF_CLIENT };
    const inAll = this.inAll.total;
    return inAll > MAX_IN_ALL ? { client: null, readers: inAll, limit: MAX_IN_ALL } : null;
  }
}
