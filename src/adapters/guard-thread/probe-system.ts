import type { ProbeChain } from "./probe-chain.ts";

/** What differs between kinds of probes: how they get ready, what keeps them from probing, and how they leave nothing behind. */
export type ProbeSystem = {
  /** Whether it is tried over WebSocket too. */
  readonly hasSockets: boolean;
  /** Chains of their own for whoever asks; they share the accounts and their rate limits. */
  chains(): readonly ProbeChain[];
  /** Looks at the system before the first probe, and takes back leftovers of an earlier run. */
  clean(): Promise<void>;
  /** Keeps what the system is known by up to date, for these chains. */
  start(own: readonly ProbeChain[]): void;
  /** Why nothing can be tried now; undefined while it can. `isBarred`: not even begun. */
  trouble(): { readonly why: string; readonly isBarred: boolean } | undefined;
  /** Others take the users now: connections that stand would go on to those who took them before. Order sockets stay. */
  renew(): void;
  /** Takes back what is still open. */
  stop(): Promise<void>;
};
