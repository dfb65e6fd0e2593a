import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProberBrief } from "../../adapters/guard-thread/prober/prober-brief.ts";
import { startProber } from "../../adapters/guard-thread/prober/start-prober.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { watchedRegion } from "./probes.ts";
import { Secrets } from "./secrets.ts";

type Briefed = {
  /** With the files `brief` and `orders`. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  readonly left?: string;
};

/** The prober of a region, with the secrets of its own environment. Throws `USAGE`. */
export function startBriefed({ folder, env, ...how }: Briefed): { readonly stop: () => Promise<void> } {
  const brief = briefIn(folder);
  const { region, guard, probe, rules } = brief;
  return startProber({
    ...how,
    brief,
    region: () => watchedRegion({ regions: { [region]: { probe } }, rules }, guard, region, new Secrets(env, folder)),
    orders: () => textOf(join(folder, "orders")),
  });
}

function briefIn(folder: string): ProberBrief {
  const file = join(folder, "brief");
  const wrong = (why: string): UpgradeError =>
    new UpgradeError("USAGE", `${file} ${why}`, {
      hint: "leave this command to the Deployment that midflight makes for `probe.in`",
    });
  const text = textOf(file);
  if (text === undefined) throw wrong("cannot be read");
  try {
    const given = JSON.parse(text) as Partial<ProberBrief> | null;
    if (given?.midflight === 1 && given.probe !== undefined && given.guard !== undefined) return given as ProberBrief;
  } catch {
    // Told below: whatever it is, it was written by nobody who starts probes.
  }
  throw wrong("does not say what to probe");
}

const textOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
};
