/** Addresses that belong together, as configured: what crosses threads is this data, never a native object. */

export interface AddressRange {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  /** Bits of the address that count. */
  readonly prefix: number;
}

/** Whose word about client addresses is taken. */
export interface TrustedPeers {
  readonly ranges: readonly AddressRange[];
  /** Whoever reaches the unix socket: its mode says who that is. */
  readonly hasUnixSocket: boolean;
}
