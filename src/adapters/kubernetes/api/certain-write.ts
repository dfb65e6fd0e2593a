import type { Clock } from "../../../ports/clock.ts";
import { ApiFailure, isFailure, type Resource } from "./api-failure.ts";
import type { Api, Ask } from "./api.ts";
import { isPassing } from "./follow.ts";
import type { ConfigMap, Metadata } from "./objects.ts";

export type Place = { readonly api: Api; readonly clock: Clock };

/** One write to the object `name`. `isDone`: whether what is found there is what this write made. */
export type Write<T extends Named = ConfigMap> = {
  /** Default: ConfigMaps. */
  readonly resource?: Resource;
  readonly name: string;
  readonly ask: Pick<Ask, "verb" | "query" | "body">;
  readonly isDone: (found: T) => boolean;
};
type Named = { readonly metadata: Metadata };

/** Whoever waits longer has lost the lease in the meantime. */
const PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Writes, and knows afterwards whether it is there: when an answer was lost it is looked for, never assumed. To send a write twice must be to
 * do it once: it makes an object, or names the version that it was decided on, or sets a whole text. Rejects with `ApiFailure`: 409 when
 * somebody else was first.
 */
export async function writeCertainly<T extends Named = ConfigMap>(
  { api, clock }: Place,
  { resource = "configmaps", name, ask, isDone }: Write<T>,
  signal: AbortSignal,
): Promise<T> {
  const since = clock.monotonic();
  const target = ask.verb === "create" ? {} : { name };
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await api.send<T>({ resource, ...target, ...ask }, signal);
    } catch (error) {
      if (!(error instanceof ApiFailure) || !(error.status === 409 || isPassing(error))) throw error;
      const found = await lookUp<T>(api, { resource, name }, signal);
      if (found.kind === "there" && isDone(found.object)) return found.object;
      if (error.status === 409 && found.kind !== "unknown") throw error;
      if (clock.monotonic() - since >= PATIENCE_MS) throw error;
    }
    await clock.sleep(pauseMs, signal);
  }
}

type Found<T> =
  | { readonly kind: "there"; readonly object: T }
  | { readonly kind: "absent" }
  | { readonly kind: "unknown" };

async function lookUp<T>(api: Api, at: Pick<Ask, "resource" | "name">, signal: AbortSignal): Promise<Found<T>> {
  try {
    return { kind: "there", object: await api.send<T>({ verb: "get", ...at }, signal) };
  } catch (error) {
    if (isFailure(error, 404)) return { kind: "absent" };
    if (error instanceof ApiFailure && isPassing(error)) return { kind: "unknown" };
    throw error;
  }
}
