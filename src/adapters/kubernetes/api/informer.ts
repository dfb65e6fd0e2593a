import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../../ports/clock.ts";
import { DARK } from "../dark-pod.ts";
import type { Parts } from "../sight.ts";
import { ApiFailure, isFailure } from "./api-failure.ts";
import type { Api, Ask } from "./api.ts";
import { isPassing, type Source } from "./follow.ts";
import type { Deployment, EndpointSlice, Metadata, Pod, PodSet } from "./objects.ts";
import { reflect, type Reflector, type Told } from "./reflector.ts";

/** What pods belong to. */
export type Rolled = Deployment | PodSet;

/**
 * Everything of a component in a region, kept by watches for as long as somebody looks. Nothing is told that is older than what went through `api`:
 * whoever wrote sees it at once.
 */
export type Informer = {
  /** The one that was given, with what it reads and writes noted. */
  readonly api: Api;
  /** As it is now. Undefined: there is no such object. Rejects with `ApiFailure`. */
  parts(signal: AbortSignal): Promise<Parts<Rolled> | undefined>;
  /** The object alone, where it is known without asking. */
  object(): Rolled | undefined;
  /** Whether a look is worth watches: somebody looked shortly before, and may watch. Otherwise everything is read. */
  isWorthIt(): boolean;
  /** Tells of everything now, and of each change, until it is aborted. */
  follow(news: News, signal: AbortSignal): void;
};

export type News = {
  readonly found: (parts: Parts<Rolled>) => void;
  /** The server does not answer. It is asked again and again. */
  readonly silence: (failure: ApiFailure) => void;
  readonly gone: () => void;
  readonly refused: (error: unknown) => void;
};

export type Informed = {
  readonly api: Api;
  readonly clock: Clock;
  /** Watches are closed when nobody looked for so long. Default: 10 s. */
  readonly idleMs?: number;
  readonly object: Source<Rolled> & { readonly name: string };
  /** By the selector of the object. */
  readonly sources: (object: Rolled) => {
    readonly pods: Source<Pod>;
    readonly dark: Source<Pod>;
    readonly slices: Source<EndpointSlice>;
  };
};

const IDLE_MS = 10_000;
/** A server that said nothing for so long is asked whether it is there, and must answer within the limit: a connection may end without a word. */
const QUIET_MS = 4_000;
const LIMIT_MS = 6_000;
/** What is awaited is made certain again so often. It asks nothing while the watches stand. */
const EVERY_MS = 1_000;

type Watches = {
  readonly object: Reflector<Rolled>;
  rest?: {
    readonly selector: string;
    readonly pods: Reflector<Pod>;
    readonly dark: Reflector<Pod>;
    readonly slices: Reflector<EndpointSlice>;
  };
};

export function informerOn({ api, clock, object, sources, idleMs = IDLE_MS }: Informed): Informer {
  const place = { api, clock };
  const readers = new Set<News>();
  let watches: Watches | undefined;
  let looking = 0;
  let spokenAt = 0;
  let wasRefused = false;
  let lookedAt: number | undefined;
  let idle: NodeJS.Timeout | undefined;
  let isTelling = false;

  const all = (): readonly Reflector<unknown>[] =>
    watches === undefined
      ? []
      : [
          watches.object,
          ...(watches.rest === undefined ? [] : [watches.rest.pods, watches.rest.dark, watches.rest.slices]),
        ];
  const close = (): void => {
    for (const one of all()) one.stop();
    watches = undefined;
  };
  const stay = (): void => {
    idle ??= setTimeout(() => {
      idle = undefined;
      if (readers.size === 0 && looking === 0) close();
      else stay();
    }, idleMs).unref();
    idle.refresh();
  };

  /** Undefined: not certain. `gone`: there is no object. */
  const snapshot = (): Parts<Rolled> | "gone" | undefined => {
    const objects = watches?.object.known();
    if (objects === undefined) return undefined;
    const [one] = objects;
    if (one === undefined) return "gone";
    const rest = watches?.rest;
    const [pods, dark, slices] = [rest?.pods.known(), rest?.dark.known(), rest?.slices.known()];
    if (pods === undefined || dark === undefined || slices === undefined) return undefined;
    return rest?.selector === selectorIn(one) ? { object: one, pods, dark, slices } : undefined;
  };
  const tell = (): void => {
    isTelling = false;
    if (readers.size === 0) return;
    const now = snapshot();
    for (const news of readers) {
      if (now === "gone") news.gone();
      else if (now !== undefined) news.found(now);
    }
  };
  const told: Told = {
    // Changes come in bursts.
    changed() {
      if (isTelling) return;
      isTelling = true;
      setImmediate(tell);
    },
    silence(failure) {
      for (const news of readers) news.silence(failure);
    },
    refused(error) {
      if (isFailure(error, 403)) wasRefused = true;
      for (const news of readers) news.refused(error);
    },
  };

  const restFor = (now: Watches, one: Rolled): NonNullable<Watches["rest"]> => {
    const selector = selectorIn(one);
    if (now.rest?.selector === selector) return now.rest;
    for (const reflector of now.rest === undefined ? [] : [now.rest.pods, now.rest.dark, now.rest.slices])
      reflector.stop();
    const { pods, dark, slices } = sources(one);
    now.rest = {
      selector,
      pods: reflect(place, pods, told),
      dark: reflect(place, dark, told),
      slices: reflect(place, slices, told),
    };
    return now.rest;
  };

  /** Until all is certain, or there is no object. */
  const certain = async (signal: AbortSignal): Promise<Parts<Rolled> | undefined> => {
    looking += 1;
    try {
      for (;;) {
        signal.throwIfAborted();
        stay();
        watches ??= { object: reflect(place, object, told) };
        const now = watches;
        await now.object.ready(signal);
        const [one] = now.object.known() ?? [];
        if (one !== undefined) {
          const { pods, dark, slices } = restFor(now, one);
          await Promise.all([pods.ready(signal), dark.ready(signal), slices.ready(signal)]);
        }
        const found = snapshot();
        if (found !== undefined) return found === "gone" ? undefined : found;
      }
    } finally {
      looking -= 1;
    }
  };

  const isQuiet = (): boolean =>
    clock.monotonic() - Math.max(spokenAt, ...all().map((one) => one.heardAt())) > QUIET_MS;
  const isOwn = ({ resource, name }: Ask): boolean => resource === object.resource && name === object.name;
  const note = (ask: Ask, answer: Answer | undefined): void => {
    const version = answer?.metadata?.resourceVersion;
    if (isOwn(ask)) watches?.object.wrote(version);
    else if (ask.resource === "pods" && ask.verb !== "get") {
      const isKnown = version !== undefined;
      const isDark = answer?.metadata?.labels?.[DARK] !== undefined;
      if (!isKnown || isDark) watches?.rest?.dark.wrote(version);
      if (!isKnown || !isDark) watches?.rest?.pods.wrote(version);
    }
  };
  const noted: Api = {
    ...api,
    async send<T>(ask: Ask, signal: AbortSignal): Promise<T> {
      try {
        const answer = await api.send<T>(ask, signal);
        spokenAt = clock.monotonic();
        if (ask.verb !== "list") note(ask, answer as Answer);
        return answer;
      } catch (error) {
        // It may have been written all the same.
        const isCertain = error instanceof ApiFailure && !isPassing(error);
        if (WRITES.has(ask.verb) && !isCertain) note(ask, undefined);
        throw error;
      }
    },
  };

  return {
    api: noted,
    async parts(signal) {
      signal.throwIfAborted();
      if (watches !== undefined && isQuiet()) {
        const ask: Ask = { verb: "get", resource: object.resource, name: object.name, limitMs: LIMIT_MS };
        await noted.send(ask, signal).catch((error: unknown) => {
          if (!isFailure(error, 404)) throw error;
          watches?.object.wrote(undefined);
        });
      }
      // What has arrived already is read first.
      await turn();
      return certain(signal);
    },
    object: () => watches?.object.known()?.[0],
    isWorthIt() {
      const before = lookedAt;
      lookedAt = clock.monotonic();
      return !wasRefused && (watches !== undefined || (before !== undefined && lookedAt - before < idleMs));
    },
    follow(news, signal) {
      readers.add(news);
      signal.addEventListener("abort", () => readers.delete(news), { once: true });
      void (async () => {
        while (!signal.aborted) {
          try {
            const parts = await certain(signal);
            if (signal.aborted) return;
            if (parts === undefined) news.gone();
            else news.found(parts);
          } catch (error) {
            if (signal.aborted) return;
            if (error instanceof ApiFailure && isPassing(error)) news.silence(error);
            else news.refused(error);
          }
          await clock.sleep(EVERY_MS, signal).catch(() => {});
        }
      })();
    },
  };
}

type Answer = { readonly metadata?: Partial<Metadata> };

const WRITES: ReadonlySet<Ask["verb"]> = new Set<Ask["verb"]>(["create", "patch", "delete"]);

const selectorIn = ({ spec }: Rolled): string => JSON.stringify(spec.selector);
