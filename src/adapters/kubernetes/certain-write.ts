import type { Clock } from "../../ports/clock.ts";
import { ApiFailure, isFailure } from "./api-failure.ts";
import type { Api, Ask } from "./api.ts";
import { isPassing } from "./follow.ts";
import type { ConfigMap } from "./objects.ts";

export type Place = { readonly api: Api; readonly clock: Clock };

/** One write to the ConfigMap `name`. `isDone`: whether what is found there is what this write made. */
export type Write = {
  readonly name: string;
  readonly ask: Pick<Ask, "verb" | "query" | "body">;
  readonly isDone: (found: ConfigMap) => boolean;
};

/** Whoever waits longer has lost the lease in the meantime. */
const PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Writes, and knows afterwards whether it is there: when an answer was lost it is looked for, never assumed. To send a write twice must be to
 * do it once: it makes an object, or names the version that it was decided on, or sets a whole text. Rejects with `ApiFailure`: 409 when
 * somebody else was first.
 */
export async function writeCertainly(
  { api, clock }: Place,
  { name, ask, isDone }: Write,
  signal: AbortSignal,
): Promise<ConfigMap> {
  const since = clock.monotonic();
  const target = ask.verb === "create" ? {} : { name };
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await api.send<ConfigMap>({ resource: "configmaps", ...target, ...ask }, signal);
    } catch (error) {
      if (!(error instanceof ApiFailure) || !(error.status === 409 || isPassing(error))) throw error;
      const found = await lookUp(api, name, signal);
      if (found.kind === "there" && isDone(found.configMap)) return found.configMap;
      if (error.status === 409 && found.kind !== "unknown") throw error;
      if (clock.monotonic() - since >= PATIENCE_MS) throw error;
    }
    await clock.sleep(pauseMs, signal);
  }
}

type Found =
  | { readonly kind: "there"; readonly configMap: ConfigMap }
  | { readonly kind: "absent" }
  | { readonly kind: "unknown" };

async function lookUp(api: Api, name: string, signal: AbortSignal): Promise<Found> {
  try {
    const configMap = await api.send<ConfigMap>({ verb: "get", resource: "configmaps", name }, signal);
    return { kind: "there", configMap };
  } catch (error) {
    if (isFailure(error, 404)) return { kind: "absent" };
    if (error instanceof ApiFailure && isPassing(error)) return { kind: "unknown" };
    throw error;
  }
}
