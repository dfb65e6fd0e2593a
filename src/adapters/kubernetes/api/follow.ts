import type { Clock } from "../../../ports/clock.ts";
import { ApiFailure, isFailure, type Resource } from "./api-failure.ts";
import type { Api } from "./api.ts";
import type { Metadata } from "./objects.ts";

type From = { readonly api: Api; readonly clock: Clock };
export type Source<T> = {
  readonly resource: Resource;
  readonly query: Readonly<Record<string, string>>;
  /** What of an object is remembered. Absent: all of it. */
  readonly kept?: (item: T) => T;
  /** The watch keeps no process alive. */
  readonly isBeside?: boolean;
};
export type Named = { readonly metadata: Metadata };
export type Listener<T> = {
  /** All that is there, and the version up to which that is known. */
  readonly items: (items: readonly T[], version: string) => void;
  readonly silence: (failure: ApiFailure) => void;
  /** The server says that it still watches. */
  readonly alive?: () => void;
  /** The server ended a watch: what happens until the next one stands is told then. */
  readonly ended?: () => void;
};

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** The version that a watch would begin at is no longer kept. */
const GONE = 410;

/**
 * Tells of a list each time that something in it changed, until it is aborted: lists once, then watches. A watch that the server ends is opened
 * again where it ended; one whose version is too old begins with a new list; one that breaks is tried again after a pause. Rejects only with
 * what trying again does not mend, and with the reason of the abort.
 */
export async function follow<T extends Named>(
  from: From,
  source: Source<T>,
  on: Listener<T>,
  signal: AbortSignal,
): Promise<never> {
  const { resource, query, kept = (item) => item, isBeside = false } = source;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    try {
      const { metadata, items = [] } = await from.api.list<T>({ resource, query, kept }, signal);
      const version = metadata.resourceVersion;
      on.items(items, version);
      pauseMs = FIRST_PAUSE_MS;
      await watchOn(from, { resource, query, kept, isBeside }, { version, items, on }, signal);
    } catch (error) {
      if (!(error instanceof ApiFailure) || !isPassing(error)) throw error;
      if (!isFailure(error, GONE)) on.silence(error);
      await from.clock.sleep(pauseMs, signal);
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }
}

/** What may be another time. */
export const isPassing = ({ status }: ApiFailure): boolean =>
  status === 0 || status === GONE || status === 429 || status >= 500;

type Beginning<T> = { readonly version: string; readonly items: readonly T[]; readonly on: Listener<T> };

async function watchOn<T extends Named>(
  { api, clock }: From,
  { resource, query, kept, isBeside }: Required<Source<T>>,
  beginning: Beginning<T>,
  signal: AbortSignal,
): Promise<never> {
  const known = new Map(beginning.items.map((item) => [item.metadata.name, item]));
  let { version } = beginning;
  for (;;) {
    const { on } = beginning;
    const opened = () => on.alive?.();
    const ask = { resource, query: { ...query, resourceVersion: version }, opened, isBeside };
    const changes = api.watch<T>(ask, signal);
    for await (const { type, object } of changes) {
      version = object.metadata.resourceVersion;
      if (type === "DELETED") known.delete(object.metadata.name);
      else if (type !== "BOOKMARK") known.set(object.metadata.name, kept(object));
      if (type === "BOOKMARK") on.alive?.();
      else on.items([...known.values()], version);
    }
    on.ended?.();
    // A server or a proxy that ends each watch at once is not asked without a pause.
    await clock.sleep(FIRST_PAUSE_MS, signal);
  }
}
