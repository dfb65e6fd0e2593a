import { messageOf } from "../../errors/message-of.ts";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { dirname, join } from "node:path";
import type { Environment, Releases } from "../../plan/model.ts";
import { releasesIn } from "../../plan/releases-in.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Hold, Keeping } from "../../ports/holds.ts";
import type { HeldLease } from "../../ports/lease.ts";
import { findSide } from "../facts/sides.ts";
import { loadReleases } from "../files/load.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { holderOf, stateOf } from "../run/state.ts";
import { findProbers, freeProber, proberText } from "../run/free-probers.ts";
import { confirm } from "../terminal/confirm.ts";
import { placedProbes } from "../wiring/probers.ts";
import { wireHolds, type WiredHolds } from "../wiring/holds.ts";
import { inKubernetes } from "../wiring/kubernetes.ts";
import { leaseKey, leaseOver } from "../wiring/lease.ts";

type Options = {
  readonly env?: string;
  readonly plan?: string;
  readonly releases?: string;
  readonly state?: string;
  readonly keepNew?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly input?: boolean;
};

/** What was found, and by whom it is freed. */
type Found = { readonly component: string; readonly holds: WiredHolds["holds"]; readonly hold: Hold };

/** For everything that is asked of one cluster. */
const DEADLINE_MS = 180_000;

/** Frees what a run that died left held: shows what it would put back, asks, and puts it back. Never while a run lives that may be its owner. */
export async function releaseHold(io: CliIo, [component]: readonly string[], options: Options): Promise<ExitStatus> {
  const environment = await environmentOf(io, options);
  const keeping: Keeping = options.keepNew === true ? "new" : "old";
  const releases = await releasesOf(io, environment, options.releases);
  const wired = await wireHolds(environment, namesIn(environment, component), { env: io.env, releases });
  const hasProbers = component === undefined && placedProbes(environment).length > 0;
  if (wired.length === 0 && !hasProbers) throw nothingHeld(environment, component);
  const { found, failures } = await lookAt(wired, keeping);
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const probers = hasProbers ? await findProbers(io, environment, signal) : { found: [], failures: [] };
  for (const { place, error } of failures) io.say(`${place} could not be looked at: ${messageOf(error)}`);
  if (found.length > 0) {
    const lease = await leaseOf(io, { environment, releases, found }, options);
    try {
      for (const one of found) io.print(holdText(one, keeping));
      const fence = fenceOver(lease, found, options.force === true);
      if (!(await isWanted(io, options))) return EXIT.refused;
      for (const one of found) await free(io, one, keeping, fence);
    } finally {
      await lease.release();
    }
  } else if (failures.length + probers.found.length === 0) io.print(`nothing of ${environment.name} is held`);
  if (probers.found.length > 0) {
    for (const one of probers.found) io.print(proberText(one));
    if (!(await isWanted(io, options))) return EXIT.refused;
    for (const one of probers.found) await freeProber(io, one, signal);
  }
  // What was seen is freed first: a cluster that does not answer keeps no other one held.
  const [failed] = failures;
  if (failed !== undefined) throw failed.error;
  if (probers.failures.length > 0) throw probers.failures[0];
  return EXIT.done;
}

async function environmentOf(io: CliIo, { env = "", plan }: Options): Promise<Environment> {
  const given = await findSide(io, env, plan);
  if (given.kind === "environment") return given.environment;
  throw new UpgradeError("USAGE", `${env} is a snapshot`, { hint: "name an environment: --env production" });
}

/** They only give names, and tell releases of one image apart: whoever has to free something is not kept from it by a file beside. */
async function releasesOf(
  io: CliIo,
  environment: Environment,
  given: string | undefined,
): Promise<Releases["releases"]> {
  const own = environment.releases;
  const file = given ?? join(dirname(environment.file), "releases.yaml");
  try {
    return releasesIn((await loadReleases(io, file)).releases, own);
  } catch (error) {
    if (given !== undefined) throw error;
    io.say(`${file} could not be read, so releases are called by their digests`);
    return releasesIn({}, own);
  }
}

function namesIn(environment: Environment, component: string | undefined): readonly string[] {
  const names = Object.keys(environment.components);
  if (component === undefined) return names;
  if (names.includes(component)) return [component];
  throw new UpgradeError("USAGE", `${environment.name} has no component ${component}; it has ${names.join(", ")}`, {
    hint: "name one of them, or none for all of them",
  });
}

const nothingHeld = ({ name }: Environment, component: string | undefined): UpgradeError =>
  new UpgradeError(
    "USAGE",
    component === undefined
      ? `no component of ${name} stands in Kubernetes`
      : `${component} of ${name} does not stand in Kubernetes`,
    { hint: "only what stands in Kubernetes is held; to take a run back, `midflight rollback`" },
  );

type Looked = {
  readonly found: readonly Found[];
  readonly failures: readonly { readonly place: string; readonly error: unknown }[];
};

async function lookAt(wired: readonly WiredHolds[], keeping: Keeping): Promise<Looked> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const places = wired.flatMap(({ regions, ...rest }) => regions.map((region) => ({ ...rest, region })));
  const looked = await Promise.allSettled(places.map(({ holds, region }) => holds.look(region, keeping, signal)));
  return {
    found: looked.flatMap((one, index): readonly Found[] => {
      const place = places[index];
      return one.status === "rejected" || one.value === undefined || place === undefined
        ? []
        : [{ component: place.component, holds: place.holds, hold: one.value }];
    }),
    failures: looked.flatMap((one, index): Looked["failures"] =>
      one.status === "rejected"
        ? [{ place: `${places[index]?.component} in ${places[index]?.region}`, error: one.reason }]
        : [],
    ),
  };
}

type Kept = {
  readonly environment: Environment;
  readonly releases: Releases["releases"];
  readonly found: readonly Found[];
};

/** Rejects `LEASE_HELD` while a run lives. Nobody begins one until this is over. */
async function leaseOf(io: CliIo, { environment, releases, found }: Kept, options: Options): Promise<HeldLease> {
  const components = [...new Set(found.map(({ component }) => component))];
  const state = await stateOf(io, environment, options.state);
  // Only where something is freed: a region that does not answer keeps no other one held.
  const placed = inKubernetes(environment, components).map(({ component, config }) => {
    const regions = found.filter((one) => one.component === component).map(({ hold }) => hold.region);
    const contexts = Object.entries(config.contexts).filter(([region]) => regions.includes(region));
    return { component, config: { ...config, contexts: Object.fromEntries(contexts) } };
  });
  const lease = await leaseOver({ environment, placed, releases }, state, io.env);
  const keys = components.map((component) => leaseKey(environment.name, component));
  return lease.acquire(keys, holderOf("release-hold"), new AbortController().signal);
}

/** Leases in another folder, as of another machine, are not seen here: a fence from there is the only sign of them. */
function fenceOver({ epoch }: HeldLease, found: readonly Found[], isForced: boolean): Fence {
  const highest = Math.max(...found.map(({ hold }) => hold.fence.epoch));
  if (highest < epoch) return { epoch, seq: 1 };
  if (isForced) return { epoch: highest + 1, seq: 1 };
  throw new UpgradeError(
    "FENCED",
    `a run with epoch ${highest} acted there last, and the leases here know of none after ${epoch - 1}: its state is kept elsewhere, so nobody here can tell whether it lives`,
    { hint: "name the folder of its state with --state, or, when you know that it is dead, pass --force" },
  );
}

/** What would be done, line by line. */
function holdText({ component, hold }: Found, keeping: Keeping): string {
  const { region, place, stands, changes, dark, stuck, staying, waiting } = hold;
  const lines = [
    ...(stands === undefined ? [] : [`  stands at ${stands}`]),
    ...changes.map((change) => `  ~ ${change}`),
    ...dark.map((pod) => `  - pod ${pod}, which is in the dark`),
    ...stuck.map((pod) => `  - pod ${pod}, which is not ready and would be waited for`),
    ...(staying.length === 0
      ? []
      : [
          `  ! by its own strategy (OnDelete) these stay as they are until somebody deletes them: ${staying.join(", ")}`,
        ]),
    ...waiting.map((manager) => `  + ${manager}, goes on`),
    ...(stands !== undefined && keeping === "new"
      ? ["  ! its controller then brings the new release everywhere, and nobody watches"]
      : []),
  ];
  return [`${component} in ${region}: ${place} ${stands === undefined ? "is free" : "is held"}`, ...lines].join("\n");
}

async function isWanted(io: CliIo, options: Options): Promise<boolean> {
  if (options.yes === true) return true;
  if (options.input === false || !io.stdin.isTTY)
    throw new UpgradeError("NOT_CONFIRMED", "an answer is needed, and nobody can give one here", {
      hint: "read what would be put back, then pass --yes",
    });
  return confirm(io, "Put all of this back, and let go?");
}

async function free(io: CliIo, { component, holds, hold }: Found, keeping: Keeping, fence: Fence): Promise<void> {
  await holds.release(hold, keeping, fence, AbortSignal.timeout(DEADLINE_MS));
  io.print(
    hold.stands === undefined
      ? `${component} in ${hold.region}: what was left is gone`
      : `${component} in ${hold.region} is let go; its controller brings its pods there by its own strategy`,
  );
}
