import type { Clock } from "../../../ports/clock.ts";
import type { EnvironmentFact } from "../../../ports/facts.ts";
import type { Look } from "./facts.ts";

/** Nobody's certificates, nonces or time-outs depend on less. */
const TOLERATED_MS = 250;

/** How far the server's clock is from this machine's, as far as the way there lets us know. */
export async function clockFacts({ reader, fact }: Look, clock: Clock): Promise<readonly EnvironmentFact[]> {
  const before = clock.now();
  const [row] = await reader.query("select (extract(epoch from pg_catalog.clock_timestamp()) * 1000)::float8 as ms");
  const after = clock.now();
  const offsetMs = Number(row?.["ms"]) - (before + after) / 2;
  return [fact("clock", "clock", offsetText(offsetMs, (after - before) / 2), "warn")];
}

function offsetText(offsetMs: number, uncertainMs: number): string {
  const ms = Math.abs(offsetMs);
  if (ms <= Math.max(TOLERATED_MS, uncertainMs)) return "in step with this machine";
  return `${(ms / 1000).toFixed(1)} s ${offsetMs > 0 ? "ahead of" : "behind"} this machine`;
}
