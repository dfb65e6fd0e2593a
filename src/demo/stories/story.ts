import type { Outcome } from "../traffic/outcome.ts";
import type { RehearseResult } from "../surface.ts";
import type { TrafficSummary } from "../traffic/report.ts";

/** What the demo tells. */
export type AnyStory = Story | RefusalStory;

/** A plan that its rehearsal must refuse; production is never touched. */
export type RefusalStory = {
  readonly kind: "refusal";
  readonly name: StoryName;
  readonly title: string;
  /** File in plans/. */
  readonly plan: string;
  readonly draw: (luck: () => number) => Fault;
  /** What must hold; each broken one is a sentence. */
  readonly demands: (result: RehearseResult) => readonly string[];
  readonly sentence: (result: RehearseResult, fault: Fault) => string;
};

/** A story of the demo: an upgrade, what goes wrong in it, and how it must end. */
export type Story = {
  readonly kind: "upgrade";
  readonly name: StoryName;
  readonly title: string;
  /** File in plans/. */
  readonly plan: string;
  /** Why it goes without a certificate; absent: it is rehearsed first, and goes with one. */
  readonly because?: string;
  /** Where, when and how hard the fault strikes, drawn from a seed. */
  readonly draw: (luck: () => number) => Fault;
  /** Whether a failed operation is the fault's doing, and not the ordinary bad luck of a busy machine. */
  readonly isByFault: (outcome: Outcome, struckAt: number) => boolean;
  /** How the run must end. */
  readonly outcome: "promoted" | "undone";
  /** What must hold besides; each broken one is a sentence. */
  readonly demands: (figures: Figures) => readonly string[];
  /** One plain sentence with its figures. */
  readonly sentence: (figures: Figures, fault: Fault) => string;
};

export const STORY_NAMES = [
  "good-upgrade",
  "rehearsal-2023",
  "metadata-2023",
  "bad-release-dark",
  "bad-release-live",
  "servers-2021",
] as const;
export type StoryName = (typeof STORY_NAMES)[number];

/** What a seed decided. */
export type Fault = {
  /** In words, for the report. */
  readonly text: string;
  /** FAULT of the new gateways. */
  readonly gateway?: Readonly<Record<string, number>>;
  /** Account shards that the bad migration hits. */
  readonly shards?: readonly number[];
  /** A server dies: after how many retired batches, in which region, and how long it is away. */
  readonly death?: { readonly region: string; readonly afterBatches: number; readonly awayMs: number };
};

/** The line of `demo-summary`. */
export type Figures = {
  readonly name: StoryName;
  readonly outcome: string;
  /** How the run says that it ended. */
  readonly text: string;
  /** User operations, from the first to the last. */
  readonly operations: number;
  /** Failed beyond those that the users' own seed planted. */
  readonly failed: number;
  readonly planted: number;
  readonly ambiguous: number;
  /** Of the failed ones, those that the fault of the story made. */
  readonly failedByFault: number;
  /** From the issue time of the first user operation that the fault made fail to the first verdict that acts. */
  readonly tripMs: number | null;
  /** From there to the last failing one. */
  readonly lastFailureMs: number | null;
  /** From that verdict to every undone step equal to its before-state. */
  readonly undoMs: number | null;
  /** Acknowledged orders whose state is wrong afterwards. */
  readonly lost: number;
  /** Rows that users wrote into the metadata and that are gone. */
  readonly rowsLost: number;
  readonly latency: { readonly beforeP99: number | null; readonly duringP99: number | null };
  readonly report: string;
  readonly summary: TrafficSummary;
};
