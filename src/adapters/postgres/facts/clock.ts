import { offsetText } from "../../../graph/clock-offset.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { EnvironmentFact } from "../../../ports/facts.ts";
import type { Look } from "./facts.ts";

/** How far the server's clock is from this machine's. */
export async function clockFacts({ reader, fact }: Look, clock: Clock): Promise<readonly EnvironmentFact[]> {
  const before = clock.now();
  const [row] = await reader.query("select (extract(epoch from pg_catalog.clock_timestamp()) * 1000)::float8 as ms");
  const after = clock.now();
  return [fact("clock", "clock", offsetText({ theirs: Number(row?.["ms"]), before, after }), "warn")];
}
