import { open, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Run } from "../../engine/run.ts";
import { canonicalJson, graphFingerprint } from "../../graph/fingerprint.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo } from "../io.ts";
import { load, type Loaded } from "../files/load.ts";
import { lookAtWorld } from "./look.ts";
import { sha256 } from "../files/sha256.ts";

/** What `plan --out` writes: where everything came from, and what files and world looked like. */
type SavedPlan = {
  readonly midflightSavedPlan: 1;
  readonly given: { readonly plan: string; readonly environment: string; readonly releases: string };
  readonly planFingerprint: string;
  readonly graphFingerprint: string;
  /** Of releases, digests, counts and weights by place, and of each store's schema. */
  readonly worldFingerprint: string;
};

export const savedPlan = (io: CliIo, loaded: Loaded, run: Run): SavedPlan => ({
  midflightSavedPlan: 1,
  given: {
    plan: resolve(io.cwd, loaded.given.plan),
    environment: resolve(io.cwd, loaded.given.environment),
    releases: resolve(io.cwd, loaded.given.releases),
  },
  planFingerprint: loaded.planFingerprint,
  graphFingerprint: graphFingerprint(loaded.graph, sha256),
  worldFingerprint: worldFingerprint(run),
});

const worldFingerprint = (run: Run): string => {
  const workloads = Object.entries(run.before.workloads).map(([place, state]) => [
    place,
    state.instances.map((one) => `${one.digest} ${one.weightPct} ${one.ready}`).toSorted(),
  ]);
  const metadata = Object.entries(run.before.metadata).map(([name, state]) => [
    name,
    state.fingerprint,
    state.applied.map((one) => `${one.name} ${one.sha256}`),
  ]);
  return `sha256:${sha256(canonicalJson({ workloads, metadata }))}`;
};

/** A saved plan is JSON that begins so; a plan file is looked at no further. */
export async function isSavedPlan(io: CliIo, file: string): Promise<boolean> {
  const handle = await open(resolve(io.cwd, file)).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.subarray(0, bytesRead).toString("utf8").includes('"midflightSavedPlan"');
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}

/** Loads the files that a saved plan names, and refuses when they or the world have changed since. Throws `PLAN_STALE`. */
export async function loadSaved(
  io: CliIo,
  file: string,
  options: { readonly env?: string; readonly state?: string },
): Promise<Loaded> {
  const saved = savedPlanIn(await readFile(resolve(io.cwd, file), "utf8"));
  if (saved === undefined)
    throw new UpgradeError("USAGE", `${file} begins like a saved plan, and this version of midflight cannot read it`, {
      hint: "make it again with `midflight plan --out`",
    });
  if (options.env !== undefined)
    throw new UpgradeError("USAGE", "a saved plan has its environment already", { hint: "leave --env out" });
  const loaded = await load(io, saved.given.plan, { env: saved.given.environment, releases: saved.given.releases });
  if (loaded.planFingerprint !== saved.planFingerprint) throw stale("the plan, the releases or a migration changed");
  if (graphFingerprint(loaded.graph, sha256) !== saved.graphFingerprint) throw stale("the environment file changed");
  const run = await lookAtWorld(io, loaded, options);
  if (worldFingerprint(run) !== saved.worldFingerprint)
    throw stale("instances, weights or the metadata are not as they were");
  return loaded;
}

function savedPlanIn(text: string): SavedPlan | undefined {
  try {
    const saved = JSON.parse(text) as Partial<SavedPlan>;
    const { plan, environment, releases } = saved.given ?? {};
    const texts = [plan, environment, releases, saved.planFingerprint, saved.graphFingerprint, saved.worldFingerprint];
    return saved.midflightSavedPlan === 1 && texts.every((one) => typeof one === "string")
      ? (saved as SavedPlan)
      : undefined;
  } catch {
    return undefined;
  }
}

const stale = (what: string): UpgradeError =>
  new UpgradeError("PLAN_STALE", `the saved plan is stale: ${what} since it was made`, {
    hint: "make it again with `midflight plan --out`, and read it",
  });
