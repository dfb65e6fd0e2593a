import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunEvent } from "../src/events/event.ts";
import type { Stage } from "./bench.ts";
import { midflight } from "./midflight.ts";
import type { TradingVenue } from "./trading-venue.ts";

/** A plan beside the venue's own, under the guard that every benchmark's plans have. Resolves with its file. */
export const writtenPlan = async (venue: TradingVenue, name: string, text: string): Promise<string> => {
  const file = join(dirname(venue.plan), `${name}.yaml`);
  await writeFile(file, `midflight: 1\nplan: ${name}\n${text}${GUARD}`);
  return file;
};

const GUARD = `guard:
  operations: [order, amend, cancel]
  falseAlarms: 1 per 30 days
  baseline: { atMost: 0.2% }
  slowerThan: 250ms
`;

/** Metadata that both releases can read, for plans that only roll. */
export const expandPlan = (venue: TradingVenue): Promise<string> =>
  writtenPlan(
    venue,
    "bench-expand",
    `components:
  orders-db: { migrations: ./migrations/orders }
steps:
  - migrate: orders-db
    phase: expand
`,
  );

const WITHOUT_CERTIFICATE = ["--without-certificate", "--because", "benchmark"];

/** Conducts a plan on the venue to its end and resolves with its events. `wants`: the exit status that it must have. */
export const upgradeVenue = async (
  venue: TradingVenue,
  plan: string,
  {
    dir,
    signal,
    wants = 0,
    env = {},
  }: Pick<Stage, "dir" | "signal"> & { readonly wants?: number; readonly env?: Readonly<Record<string, string>> },
): Promise<readonly RunEvent[]> => {
  const events: RunEvent[] = [];
  const { status, lastLine, complaint } = await midflight({
    args: ["upgrade", plan, "--env", venue.environment, "--json", "--yes", ...WITHOUT_CERTIFICATE],
    cwd: dir,
    env: { ...venue.variables, ...env },
    signal,
    onLine: (line) => {
      const event = JSON.parse(line) as RunEvent;
      if (typeof event.at === "string") events.push(event);
    },
  });
  if (status !== wants)
    throw new Error(`the upgrade by ${plan} ended with ${status}: ${complaint === "" ? lastLine : complaint}`);
  return events;
};
