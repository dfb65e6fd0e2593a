import type { Clock } from "../../../ports/clock.ts";
import type { ApiFailure } from "./api-failure.ts";
import type { Api } from "./api.ts";
import { follow, type Listener, type Named, type Source } from "./follow.ts";

/** A list of an API server, kept by a watch, and never told when it may be older than a write that was noted. */
export type Reflector<T> = {
  /** All that there is. Undefined while that is not certain. */
  known(): readonly T[] | undefined;
  /** Resolves once it was read or heard of. Rejects with why it cannot be: `ApiFailure`, or the reason of the abort. */
  ready(signal: AbortSignal): Promise<void>;
  /** Something of it was written. Undefined: whether it was, and as which version, nobody knows. */
  wrote(version: string | undefined): void;
  /** When the server was last heard of, monotonic ms. */
  heardAt(): number;
  stop(): void;
};

export type Told = {
  readonly changed: () => void;
  /** The server does not answer; it is asked again and again. */
  readonly silence: (failure: ApiFailure) => void;
  /** The server refuses, and is not asked again. */
  readonly refused: (error: unknown) => void;
};

type Place = { readonly api: Api; readonly clock: Clock };

/** What a write changed is heard of within this, or it is read. */
const LAG_MS = 500;
/** A server says about once a minute that it still watches. One that is silent for longer is not believed. */
const SILENT_MS = 75_000;

/** One list, and the watch from there on. */
type Life<T> = {
  readonly end: AbortController;
  /** Settles with the first list. */
  readonly first: Promise<void>;
  phase: "listing" | "watching" | "broken";
  items?: readonly T[];
  version: number;
  /** A write was made of which this does not tell whether it is in it. */
  isDoubted: boolean;
};

export function reflect<T extends Named>(place: Place, source: Source<T>, told: Told): Reflector<T> {
  const { clock } = place;
  const waiting = new Set<() => void>();
  let heardAt = 0;
  /** Version of the last write that was noted. */
  let least = 0;
  let life = begin();

  function begin(): Life<T> {
    const end = new AbortController();
    const { promise: first, resolve, reject } = Promise.withResolvers<void>();
    first.catch(() => {});
    const begun: Life<T> = { end, first, phase: "listing", version: 0, isDoubted: false };
    const hear = (): void => {
      heardAt = clock.monotonic();
      if (begun.phase === "broken") begun.phase = "watching";
    };
    const on: Listener<T> = {
      items(items, version) {
        Object.assign(begun, { items, version: numberOf(version), phase: "watching" });
        hear();
        resolve();
        for (const wake of waiting) wake();
        told.changed();
      },
      alive: hear,
      ended: () => void (begun.phase = "broken"),
      silence(failure) {
        begun.phase = "broken";
        reject(failure);
        told.silence(failure);
      },
    };
    follow<T>(place, source, on, end.signal).catch((error: unknown) => {
      begun.phase = "broken";
      reject(error);
      if (!end.signal.aborted) told.refused(error);
    });
    return begun;
  }

  const isHeard = (): boolean =>
    life.phase === "watching" && !life.isDoubted && clock.monotonic() - heardAt < SILENT_MS;
  const isCurrent = (): boolean => isHeard() && life.version >= least;

  /** Waits for news of what was written. */
  const catchUp = async (signal: AbortSignal): Promise<void> => {
    const done = new AbortController();
    const wake = (): void => {
      if (isCurrent()) done.abort();
    };
    waiting.add(wake);
    await clock.sleep(LAG_MS, AbortSignal.any([signal, done.signal])).catch(() => {});
    waiting.delete(wake);
  };

  return {
    known: () => (isCurrent() ? life.items : undefined),
    async ready(signal) {
      if (isHeard() && !isCurrent()) await catchUp(signal);
      for (;;) {
        signal.throwIfAborted();
        if (isCurrent()) return;
        if (life.phase !== "listing" || life.isDoubted) {
          life.end.abort();
          life = begin();
        }
        const { first } = life;
        try {
          return await unlessAborted(first, signal);
        } catch (error) {
          // Somebody else began anew meanwhile.
          if (signal.aborted || life.first === first) throw error;
        }
      }
    },
    wrote(version) {
      const written = Number(version);
      if (Number.isNaN(written)) life.isDoubted = true;
      else least = Math.max(least, written);
    },
    heardAt: () => heardAt,
    stop: () => life.end.abort(),
  };
}

/** Versions are numbers, and grow, wherever an API server keeps the objects itself. */
function numberOf(version: string): number {
  const number = Number(version);
  if (Number.isNaN(number)) throw new Error(`versions cannot be compared: ${version}`);
  return number;
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
