import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { ApiFailure, upgradeErrorOf } from "./api-failure.ts";
import { troubleOf, warningIn, type Trouble } from "../explain.ts";
import type { Rolled } from "./informer.ts";
import type { Deployment, Event, Listed, Pod } from "./objects.ts";
import { sightOf, type Parts, type Sight } from "../sight.ts";
import { objectText, type Site } from "../site.ts";

/** What is still missing, and on whom it hangs; undefined when all is as it shall be. */
export type Judge<S = Sight> = (sight: S) => Missing | undefined;
/** `text` goes on with "within 30 s". */
export type Missing = { readonly text: string; readonly pods: readonly Pod[] };

/** Resolves with what was seen of a Deployment once the judge misses nothing any more: see `watchUntil`. */
export const until = (site: Site, judge: Judge, signal: AbortSignal): Promise<Sight> =>
  watchUntil(site, sceneOf(site), judge, signal);

const sceneOf = (site: Site): Scene<Deployment, Sight> => ({
  sightOf: (parts) => sightOf(parts, site.frame),
  troubleOf: (pods, sight) => troubleOf(pods, sight.deployment),
});

/** How what is watched is seen, and why it does not come. */
export type Scene<O, S> = {
  readonly sightOf: (parts: Parts<O>) => S;
  readonly troubleOf: (pods: readonly Pod[], sight: S) => Trouble | undefined;
};

/**
 * Resolves with what was seen once the judge misses nothing any more. It watches, so nothing is asked while nothing happens. It ends early
 * when waiting cannot bring what is missing, and at the deadline in any case; both times it says why.
 * Rejects: `INSTANCE_NOT_READY`, `FOREIGN_CHANGE` (what the pods belong to was deleted).
 */
export async function watchUntil<O extends Rolled, S>(
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
  const news = {
    found(parts: Parts<Rolled>): void {
      // The kind of the component's object is that of everything that is asked for it.
      const sight = scene.sightOf(parts as Parts<O>);
      const missing = judge(sight);
      if (missing === undefined) return resolve(sight);
      Object.assign(seen, { last: { sight, missing }, silence: undefined });
      const trouble = scene.troubleOf(missing.pods, sight);
      if (trouble?.isHopeless === true) reject(notReady(missing.text, trouble.text));
    },
    silence: (failure: ApiFailure) => void Object.assign(seen, { silence: failure }),
    gone: () => reject(deleted(site)),
    refused: reject,
  };
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  site.informer.follow(news, within);
  clock.sleep(config.readyDeadlineMs, within).then(
    () => lateBecause(site, scene, seen, signal).then(reject, reject),
    () => {},
  );
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    end.abort();
  }
}

type Seen<S> = {
  readonly last?: { readonly sight: S; readonly missing: Missing };
  /** Newer than what was seen last. */
  readonly silence?: ApiFailure;
};

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
