import { offsetText } from "../../graph/clock-offset.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Facts } from "../../ports/facts.ts";

/** A region that says nothing for so long tells no time. */
const DEADLINE_MS = 2_000;

export type OkxFactsOptions = {
  readonly region: string;
  /** Address of the region's REST API. */
  readonly rest: string;
  readonly clock: Clock;
};

/** What a region of a venue with the OKX V5 API tells everybody: its time. That a region does not tell it is a fact too, not an error. */
export const okxFacts = ({ region, rest, clock }: OkxFactsOptions): Facts => ({
  async collect(signal) {
    const url = new URL("/api/v5/public/time", rest);
    // The first question opens the connection, which takes time that is nobody's clock.
    await timeOf(url, signal);
    const before = clock.now();
    const theirs = await timeOf(url, signal);
    const after = clock.now();
    const value = theirs === undefined ? "tells no time" : offsetText({ theirs, before, after });
    return [{ id: `regions/${region}/clock`, group: "clock", value, severity: "warn", rule: "same" }];
  },
});

/** ms since the epoch; undefined where no answer comes, or another one. */
async function timeOf(url: URL, signal: AbortSignal): Promise<number | undefined> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) });
    const body = (await reply.json()) as { readonly data?: readonly { readonly ts?: unknown }[] } | undefined;
    const ms = Number(body?.data?.[0]?.ts);
    return ms > 0 ? ms : undefined;
  } catch {
    return undefined;
  }
}
