import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { ApiFailure } from "./api-failure.ts";
import { troubleOf, warningIn } from "./explain.ts";
import { follow } from "./follow.ts";
import type { Deployment, EndpointSlice, Event, Listed, Pod } from "./objects.ts";
import { sightOf, type Found, type Sight } from "./sight.ts";
import { readDeployment, sourcesOf, type Site } from "./site.ts";

/** What is still missing, and on whom it hangs; undefined when all is as it shall be. */
export type Judge = (sight: Sight) => Missing | undefined;
/** `text` goes on with "within 30 s". */
export type Missing = { readonly text: string; readonly pods: readonly Pod[] };

/**
 * Resolves with what was seen once the judge misses nothing any more. It watches, so nothing is asked while nothing happens. It ends early
 * when waiting cannot bring what is missing, and at the deadline in any case; both times it says why.
 * Rejects: `INSTANCE_NOT_READY`, `FOREIGN_CHANGE` (the Deployment was deleted).
 */
export async function until(site: Site, judge: Judge, signal: AbortSignal): Promise<Sight> {
  const { clock, config } = site.options;
  const end = new AbortController();
  const within = AbortSignal.any([signal, end.signal]);
  const { promise, resolve, reject } = Promise.withResolvers<Sight>();
  const seen: Seen = {};
  const followers = watchAll(site, await readDeployment(site, signal), within, {
    found(found) {
      const sight = sightOf(found, site.frame);
      const missing = judge(sight);
      if (missing === undefined) return resolve(sight);
      Object.assign(seen, { last: { sight, missing }, silence: undefined });
      const trouble = troubleOf(missing.pods, sight.deployment);
      if (trouble?.isHopeless === true) reject(notReady(missing.text, trouble.text));
    },
    silence: (failure) => void Object.assign(seen, { silence: failure }),
    gone: () => reject(deleted(site)),
  });
  for (const follower of followers) follower.catch(reject);
  clock.sleep(config.readyDeadlineMs, within).then(
    () => lateBecause(site, seen, signal).then(reject, reject),
    () => {},
  );
  try {
    return await promise;
  } finally {
    end.abort();
    await Promise.allSettled(followers);
  }
}

type Seen = {
  readonly last?: { readonly sight: Sight; readonly missing: Missing };
  /** Newer than what was seen last. */
  readonly silence?: ApiFailure;
};

type News = {
  readonly found: (found: Found) => void;
  readonly silence: (failure: ApiFailure) => void;
  readonly gone: () => void;
};

function watchAll(site: Site, deployment: Deployment, within: AbortSignal, news: News): readonly Promise<never>[] {
  const parts: { -readonly [K in keyof Found]?: Found[K] } = {};
  const add = (part: Partial<Found>): void => {
    Object.assign(parts, part);
    const { deployment: one, pods, dark, slices } = parts;
    if (one !== undefined && pods !== undefined && dark !== undefined && slices !== undefined)
      news.found({ deployment: one, pods, dark, slices });
  };
  const from = { api: site.api, clock: site.options.clock };
  const sources = sourcesOf(site, deployment);
  const { silence } = news;
  return [
    follow<Deployment>(
      from,
      sources.deployment,
      { silence, items: ([one]) => (one === undefined ? news.gone() : add({ deployment: one })) },
      within,
    ),
    follow<Pod>(from, sources.pods, { silence, items: (pods) => add({ pods }) }, within),
    follow<Pod>(from, sources.dark, { silence, items: (dark) => add({ dark }) }, within),
    follow<EndpointSlice>(from, sources.slices, { silence, items: (slices) => add({ slices }) }, within),
  ];
}

/** What to say when time is over: that the API went silent, or what holds up the pods. */
async function lateBecause(site: Site, { last, silence }: Seen, signal: AbortSignal): Promise<Error> {
  if (silence !== undefined) return silence;
  const within = `within ${site.options.config.readyDeadlineMs / 1_000} s`;
  if (last === undefined) return notReady(`deployment ${site.frame.deployment} was not seen`, within);
  const { missing, sight } = last;
  const why =
    troubleOf(missing.pods, sight.deployment)?.text ??
    (await warningOf(site, missing.pods[0], signal)) ??
    "the cluster tells no reason";
  return notReady(`${missing.text} ${within}`, why);
}

/** Undefined as well when this user may not read events: they only explain. */
async function warningOf({ api }: Site, pod: Pod | undefined, signal: AbortSignal): Promise<string | undefined> {
  if (pod === undefined) return undefined;
  const { name } = pod.metadata;
  const query = { fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${name}` };
  const events = await api
    .send<Listed<Event>>({ verb: "list", resource: "events", query }, signal)
    .catch(() => ({ items: [] }));
  const warning = warningIn(events.items ?? []);
  return warning === undefined ? undefined : `${name}: ${warning}`;
}

const notReady = (missing: string, why: string): UpgradeError =>
  new UpgradeError("INSTANCE_NOT_READY", `${missing}: ${why}`, {
    hint: "look at the pods with `kubectl describe pod` and `kubectl logs`, and mend what holds them up",
  });

const deleted = ({ frame, api }: Site): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `deployment ${frame.deployment} in ${api.context} was deleted while midflight worked on it`,
    { hint: "find out who deleted it, put it back, then `midflight resume`" },
  );
