import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { ApiFailure, upgradeErrorOf } from "./api-failure.ts";
import { troubleOf, warningIn, type Trouble } from "../explain.ts";
import { follow } from "./follow.ts";
import type { Deployment, EndpointSlice, Event, Listed, Metadata, Pod } from "./objects.ts";
import { sightOf, type Parts, type Sight } from "../sight.ts";
import { objectText, readDeployment, sourcesOf, type Site, type Source } from "../site.ts";

/** What is still missing, and on whom it hangs; undefined when all is as it shall be. */
export type Judge<S = Sight> = (sight: S) => Missing | undefined;
/** `text` goes on with "within 30 s". */
export type Missing = { readonly text: string; readonly pods: readonly Pod[] };

/** Resolves with what was seen of a Deployment once the judge misses nothing any more: see `watchUntil`. */
export const until = async (site: Site, judge: Judge, signal: AbortSignal): Promise<Sight> =>
  watchUntil(site, sceneOf(site, await readDeployment(site, signal)), judge, signal);

const sceneOf = (site: Site, deployment: Deployment): Scene<Deployment, Sight> => ({
  sources: sourcesOf(site, deployment),
  sightOf: (parts) => sightOf(parts, site.frame),
  troubleOf: (pods, sight) => troubleOf(pods, sight.deployment),
});

/** What is watched, how it is seen, and why it does not come. */
export type Scene<O, S> = {
  readonly sources: Readonly<Record<keyof Parts<O>, Source>>;
  readonly sightOf: (parts: Parts<O>) => S;
  readonly troubleOf: (pods: readonly Pod[], sight: S) => Trouble | undefined;
};

/**
 * Resolves with what was seen once the judge misses nothing any more. It watches, so nothing is asked while nothing happens. It ends early
 * when waiting cannot bring what is missing, and at the deadline in any case; both times it says why.
 * Rejects: `INSTANCE_NOT_READY`, `FOREIGN_CHANGE` (what the pods belong to was deleted).
 */
export async function watchUntil<O extends { readonly metadata: Metadata }, S>(
  site: Site,
  scene: Scene<O, S>,
  judge: Judge<S>,
  signal: AbortSignal,
): Promise<S> {
  const { clock, config } = site.options;
  const end = new AbortController();
  const within = AbortSignal.any([signal, end.signal]);
  const { promise, resolve, reject } = Promise.withResolvers<S>();
  const seen: Seen<S> = {};
  const followers = watchAll<O>(site, scene, within, {
    found(parts) {
      const sight = scene.sightOf(parts);
      const missing = judge(sight);
      if (missing === undefined) return resolve(sight);
      Object.assign(seen, { last: { sight, missing }, silence: undefined });
      const trouble = scene.troubleOf(missing.pods, sight);
      if (trouble?.isHopeless === true) reject(notReady(missing.text, trouble.text));
    },
    silence: (failure) => void Object.assign(seen, { silence: failure }),
    gone: () => reject(deleted(site)),
  });
  for (const follower of followers) follower.catch(reject);
  clock.sleep(config.readyDeadlineMs, within).then(
    () => lateBecause(site, scene, seen, signal).then(reject, reject),
    () => {},
  );
  try {
    return await promise;
  } finally {
    end.abort();
    await Promise.allSettled(followers);
  }
}

type Seen<S> = {
  readonly last?: { readonly sight: S; readonly missing: Missing };
  /** Newer than what was seen last. */
  readonly silence?: ApiFailure;
};

type News<O> = {
  readonly found: (parts: Parts<O>) => void;
  readonly silence: (failure: ApiFailure) => void;
  readonly gone: () => void;
};

function watchAll<O extends { readonly metadata: Metadata }>(
  site: Site,
  { sources }: { readonly sources: Readonly<Record<keyof Parts<O>, Source>> },
  within: AbortSignal,
  news: News<O>,
): readonly Promise<never>[] {
  const known: { object?: O; pods?: readonly Pod[]; dark?: readonly Pod[]; slices?: readonly EndpointSlice[] } = {};
  const tell = (): void => {
    const { object, pods, dark, slices } = known;
    if (object !== undefined && pods !== undefined && dark !== undefined && slices !== undefined)
      news.found({ object, pods, dark, slices });
  };
  const from = { api: site.api, clock: site.options.clock };
  const { silence } = news;
  const items = <T>(take: (all: readonly T[]) => void) => ({
    silence,
    items: (all: readonly T[]): void => {
      take(all);
      tell();
    },
  });
  return [
    follow<O>(
      from,
      sources.object,
      items<O>(([one]) => {
        if (one === undefined) news.gone();
        else known.object = one;
      }),
      within,
    ),
    follow<Pod>(
      from,
      sources.pods,
      items<Pod>((pods) => void (known.pods = pods)),
      within,
    ),
    follow<Pod>(
      from,
      sources.dark,
      items<Pod>((dark) => void (known.dark = dark)),
      within,
    ),
    follow<EndpointSlice>(
      from,
      sources.slices,
      items<EndpointSlice>((slices) => void (known.slices = slices)),
      within,
    ),
  ];
}

/** What to say when time is over: that the API went silent, or what holds up the pods. */
async function lateBecause<O, S>(
  site: Site,
  scene: Scene<O, S>,
  { last, silence }: Seen<S>,
  signal: AbortSignal,
): Promise<Error> {
  if (silence !== undefined) return silence;
  const within = `within ${site.options.config.readyDeadlineMs / 1_000} s`;
  if (last === undefined) return notReady(`${objectText(site)} was not seen`, within);
  const { missing, sight } = last;
  const why =
    scene.troubleOf(missing.pods, sight)?.text ??
    (await warningOf(site, missing.pods[0], signal)) ??
    "the cluster tells no reason";
  return notReady(`${missing.text} ${within}`, why);
}

/** Events only explain: whoever may not read them is told so in their place. */
async function warningOf({ api }: Site, pod: Pod | undefined, signal: AbortSignal): Promise<string | undefined> {
  if (pod === undefined) return undefined;
  const { name } = pod.metadata;
  const query = { fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${name}` };
  try {
    const { items = [] } = await api.send<Listed<Event>>({ verb: "list", resource: "events", query }, signal);
    const warning = warningIn(items);
    return warning === undefined ? undefined : `${name}: ${warning}`;
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status !== 403) return undefined;
    const { message, hint } = upgradeErrorOf(error, "WORKLOAD_UNREACHABLE");
    return `${message}; ${hint}`;
  }
}

const notReady = (missing: string, why: string): UpgradeError =>
  new UpgradeError("INSTANCE_NOT_READY", `${missing}: ${why}`, {
    hint: "look at the pods with `kubectl describe pod` and `kubectl logs`, and mend what holds them up",
  });

const deleted = (site: Site): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `${objectText(site)} in ${site.api.context} was deleted while midflight worked on it`,
    { hint: "find out who deleted it, put it back, then `midflight resume`" },
  );
