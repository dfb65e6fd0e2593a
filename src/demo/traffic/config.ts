import { z } from "zod";
import { UpgradeError } from "../../errors/upgrade-error.ts";

const address = z.strictObject({
  /** http://host:port of the region's balancer. */
  rest: z.string(),
  /** ws://host:port; /ws/v5/private is appended. */
  ws: z.string(),
});

/** How the users of the venue behave. Everything that looks like luck comes from `seed`. */
const trafficConfigSchema = z.strictObject({
  regions: z.strictObject({ tokyo: address, frankfurt: address }),
  venueEnv: z.enum(["production", "demo"]).default("production"),
  keySeed: z.string(),
  uids: z.array(z.string()).min(1),
  ratePerSec: z.number().positive().default(300),
  seed: z.union([z.number(), z.string()]).default(1),
  /** An operation without definite success after this many ms has failed. */
  deadlineMs: z.number().positive().default(250),
  /** How long the state of an order may take to show an acknowledged amend or cancel, ms. */
  stateDeadlineMs: z.number().positive().default(1_000),
  /** Share of the accounts that trade over WebSocket. */
  wsShare: z.number().min(0).max(1).default(0.3),
  simulatedTrading: z.boolean().optional(),
  /** Share of the operations that fail by the users' own doing. */
  plantedFailureRate: z.number().min(0).max(0.2).default(0.001),
  /** Share of set-leverage requests among all arrivals; they are no order operations. */
  leverageShare: z.number().min(0).max(0.5).default(0.005),
  /** Share of the acknowledged amends and cancels whose state is checked at once; all orders are checked at the end. */
  checkShare: z.number().min(0).max(1).default(1),
  reportEveryMs: z.number().positive().default(200),
  /** A file that gets every operation, one JSON object a line. */
  outcomesFile: z.string().optional(),
  /** Cancel all resting orders at the end. */
  cleanUp: z.boolean().default(true),
  /** How long to wait for the venue's first answer, ms. */
  startWithinMs: z.number().positive().default(10_000),
  /** The traffic stops by itself after this time. */
  maxSeconds: z.number().positive().default(900),
  /** How long the final check of all orders may take, ms. */
  settleMs: z.number().positive().default(30_000),
});

export type TrafficConfig = z.infer<typeof trafficConfigSchema>;
/** As written by a caller: what has a default may be left out. */
export type TrafficOptions = z.input<typeof trafficConfigSchema>;

/** Fills in the defaults. Throws: `VENUE_CONFIG` with every problem at once. */
export const trafficConfig = (options: unknown): TrafficConfig => {
  const checked = trafficConfigSchema.safeParse(options);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new UpgradeError("VENUE_CONFIG", `the users' traffic cannot start: ${problems.join("; ")}`, {
    hint: "correct TRAFFIC",
  });
};

export const REGIONS = ["tokyo", "frankfurt"] as const;
export type Region = (typeof REGIONS)[number];

export const otherRegion = (region: Region): Region => (region === "tokyo" ? "frankfurt" : "tokyo");
