import { ApiFailure } from "../api/api-failure.ts";
import type { Place } from "../api/certain-write.ts";

export type LogListener = {
  readonly line: (text: string) => void;
  /** It could not be read, and is tried again. */
  readonly silence: (failure: ApiFailure) => void;
};

/** A connection that brings nothing for so long is opened anew: the other end may be gone without a word. */
const STALE_MS = 5_000;
const PAUSE_MS = 250;
/** Of a pod that we come to: what is missing before them is asked of it. */
const FIRST_LINES = 200;
/** Clocks of nodes count whole seconds. */
const OVERLAP_S = 2;

/** Tells what a container prints, until aborted. After a break the last moments come once more. Rejects with the reason of the abort. */
export async function followLog(
  { api, clock }: Place,
  { pod, container }: { readonly pod: string; readonly container: string },
  on: LogListener,
  signal: AbortSignal,
): Promise<never> {
  let heardAt: number | undefined;
  for (;;) {
    const stale = new AbortController();
    const since =
      heardAt === undefined
        ? { tailLines: String(FIRST_LINES) }
        : { sinceSeconds: String(Math.ceil((clock.monotonic() - heardAt) / 1_000) + OVERLAP_S) };
    let timer = setTimeout(() => stale.abort(STALE), STALE_MS);
    try {
      const query = { container, follow: "true", ...since };
      const ask = { verb: "get", resource: "pods", name: pod, subresource: "log", query } as const;
      for await (const line of api.lines(ask, AbortSignal.any([signal, stale.signal]))) {
        clearTimeout(timer);
        timer = setTimeout(() => stale.abort(STALE), STALE_MS);
        heardAt = clock.monotonic();
        on.line(line);
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof ApiFailure) on.silence(error);
      else if (error !== STALE) throw error;
    } finally {
      clearTimeout(timer);
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}

const STALE = new Error("nothing came");
