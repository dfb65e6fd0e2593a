import type { RunEvent } from "../events/event.ts";

/** What the demo uses of midflight: what any user has, handed in by the command line. */
export type Midflight = {
  /** `midflight upgrade PLAN --env FILE`, in this process. */
  upgrade(order: UpgradeOrder): Promise<UpgradeResult>;
  /** `midflight keys new` once, and `midflight rehearse PLAN --env FILE --for FILE --key …`, in this process. */
  rehearse(order: RehearseOrder): Promise<RehearseResult>;
  /** Brings up the release that a venue starts with: the environment's own driver, `instances` per region, full weight. */
  bringUp(order: {
    readonly environment: string;
    readonly component: string;
    readonly release: string;
    readonly releases: string;
  }): Promise<Estate>;
};

export type UpgradeOrder = {
  readonly plan: string;
  readonly environment: string;
  readonly releases: string;
  /** Why it goes without a certificate. Absent: one is asked for. */
  readonly because?: string;
  readonly onEvent: (event: RunEvent) => void;
};

export type RehearseOrder = {
  readonly plan: string;
  readonly demo: string;
  readonly production: string;
  readonly releases: string;
  readonly signal: AbortSignal;
};

export type RehearseResult = {
  /** One sentence. */
  readonly verdict: string;
  readonly failed: readonly { readonly name: string; readonly step: string; readonly detail: string }[];
  readonly drills: number;
  readonly ms: number;
  readonly report: string;
  /** Where it lies; undefined: none was earned. */
  readonly certificate?: string;
};

export type UpgradeResult = {
  readonly status: number;
  readonly run: string;
  readonly outcome: string;
  readonly text: string;
  readonly report: string;
  /** Writes the report again, with how users' own client saw it. Returns its path. */
  rewriteReport(asUsersSawIt: string): Promise<string>;
};

/** The instances of a component that the venue runs. */
export type Estate = {
  /** Process ids by region, of what runs now. */
  pids(region: string): Promise<readonly number[]>;
  /** Starts again what is recorded there and is dead, and gives it back the weight it had. */
  restore(region: string): Promise<void>;
  /** Stops everything. */
  stop(): Promise<void>;
};
