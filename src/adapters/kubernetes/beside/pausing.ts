import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Managers } from "../../../ports/managers.ts";
import { ApiFailure, isFailure, upgradeErrorOf } from "../api/api-failure.ts";
import type { Api } from "../api/api.ts";
import { cleanHistory } from "../history.ts";
import type { PatchOp } from "../api/patch.ts";
import { managersOf } from "./managers.ts";
import type { Managed, Metadata } from "../api/objects.ts";
import type { KubernetesOptions } from "../api/options.ts";
import { inOurWords, readDeployment, readMetadata, sitesOf, type Site } from "../site.ts";
import { giveBackPatch, PAUSED, pausePatch, switchesOf, waitsFor, type Switch } from "./switches.ts";

/** The managers of a component's objects in all its regions. */
export function kubernetesManagers(options: KubernetesOptions): Managers {
  const sites = sitesOf(options);
  const regions = Object.keys(options.config.contexts);
  const giveBack = async (run: string, signal: AbortSignal): Promise<readonly string[]> => {
    // One region that does not answer keeps no other one waiting.
    const settled = await Promise.allSettled(regions.map(async (region) => giveBackIn(sites(region), run, signal)));
    const failed = settled.find((one): one is PromiseRejectedResult => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  };
  return {
    giveBack: (run, signal) => inOurWords("WORKLOAD_UNREACHABLE", () => giveBack(run, signal)),
    pause: (run, signal) =>
      inOurWords("WORKLOAD_UNREACHABLE", async () => {
        const told: string[] = [];
        const begun: Site[] = [];
        try {
          // One after the other: two regions may have one application.
          for (const region of regions) told.push(...(await pauseIn(sites(region), { run, begun }, signal)));
          return told;
        } catch (error) {
          // Only these: a run that is picked up again keeps whoever waits for it already.
          await Promise.allSettled(begun.map((site) => giveBackIn(site, run, signal)));
          throw error;
        }
      }),
  };
}

/** `begun`: sites where somebody waits who did not before. */
type Pause = { readonly run: string; readonly begun: Site[] };

async function pauseIn(site: Site, { run, begun }: Pause, signal: AbortSignal): Promise<readonly string[]> {
  const metadata = await readMetadata(site, signal);
  const told: string[] = [];
  for (const one of switchesOf(site.options.config.object, metadata)) {
    try {
      const written = await write(site, one, (object) => pausePatch(object, one, run), signal);
      if (written !== undefined) begun.push(site);
    } catch (error) {
      throw error instanceof ApiFailure ? notPaused(site, one, byHandOf(metadata, one), error) : error;
    }
    told.push(`${one.manager} waits, for ${metadata.name} in ${site.region}`);
  }
  return told;
}

const byHandOf = (metadata: Metadata, { manager }: Switch): string =>
  managersOf(metadata).find(({ name }) => name === manager)?.pause ?? `pause ${manager}`;

const notPaused = ({ region, api }: Site, { manager }: Switch, byHand: string, failure: ApiFailure): UpgradeError => {
  const { message, hint } = upgradeErrorOf(failure, "WORKLOAD_UNREACHABLE");
  return new UpgradeError(
    "MANAGER_NOT_PAUSED",
    `${manager} in ${region} (${api.context}) could not be told to wait: ${message}`,
    {
      hint: `${failure.status === 403 ? hint : `${byHand}, and take \`pause\` out of the environment file`}; nothing was begun`,
      cause: failure,
    },
  );
};

/** `run` undefined: whatever run they wait for. */
export async function giveBackIn(site: Site, run: string | undefined, signal: AbortSignal): Promise<readonly string[]> {
  const metadata = await readMetadata(site, signal);
  const given: string[] = [];
  for (const one of switchesOf(site.options.config.object, metadata)) {
    const now = await write(site, one, (object) => giveBackPatch(object, one, run), signal).catch((error: unknown) =>
      // What is gone does not wait; and whoever frees what another one left may not know of it.
      isFailure(error, 404) || (run === undefined && isFailure(error, 403)) ? undefined : Promise.reject(error),
    );
    if (now === undefined || waitsFor(now).length > 0) continue;
    given.push(one.manager);
    if (one.resource === "deployments")
      await cleanHistory(site, await readDeployment(site, signal), signal, copiedOf(now, one));
  }
  return given;
}

/** What the controller copied to ReplicaSets while it stood at the Deployment. */
const copiedOf = ({ metadata }: Managed, { at }: Switch): readonly string[] => [
  PAUSED,
  ...("annotation" in at && metadata.annotations?.[at.annotation] === undefined ? [at.annotation] : []),
];

/** Managers of an object that wait for some run, with the runs. */
export async function waitingIn(site: Site, signal: AbortSignal): Promise<readonly string[]> {
  const metadata = await readMetadata(site, signal);
  const waiting: string[] = [];
  for (const one of switchesOf(site.options.config.object, metadata)) {
    const object = await read(site, one, signal).catch((error: unknown) =>
      isFailure(error, 404) || isFailure(error, 403) ? undefined : Promise.reject(error),
    );
    const runs = object === undefined ? [] : waitsFor(object);
    if (runs.length > 0) waiting.push(`${one.manager}, which waits for ${runs.join(", ")}`);
  }
  return waiting;
}

const apiFor = (site: Site, { namespace }: Switch): Api =>
  namespace === undefined ? site.api : site.within(namespace);

const read = (site: Site, one: Switch, signal: AbortSignal): Promise<Managed> =>
  apiFor(site, one).send<Managed>({ verb: "get", resource: one.resource, name: one.name }, signal);

/** Their controllers write to them too, and each write is a conflict. */
const TRIES = 20;

/** Undefined when nothing had to be written. */
async function write(
  site: Site,
  one: Switch,
  patchOf: (object: Managed) => readonly PatchOp[] | undefined,
  signal: AbortSignal,
): Promise<Managed | undefined> {
  const { resource, name } = one;
  for (let turn = 1; ; turn += 1) {
    const body = patchOf(await read(site, one, signal));
    if (body === undefined) return undefined;
    try {
      return await apiFor(site, one).send<Managed>(
        { verb: "patch", resource, name, query: { fieldManager: "midflight" }, body },
        signal,
      );
    } catch (error) {
      if (!isFailure(error, 409) || turn === TRIES) throw error;
    }
  }
}
