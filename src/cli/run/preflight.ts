import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import { wirePreflights, type WiredPreflight } from "../wiring/preflights.ts";

/** Whatever hangs: a look ahead keeps nobody waiting for longer. */
const DEADLINE_MS = 15_000;

/** What could go wrong with the targets as they are now, a sentence each. Only reads. What cannot be looked at is a risk as well. */
export async function risksSeen(io: CliIo, loaded: Loaded): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const wired = await wirePreflights(loaded, io.env);
  return (await Promise.all(wired.map((one) => risksOf(one, signal)))).flat();
}

/** What is so in several regions is told once. */
async function risksOf(
  { component, regions, preflight }: WiredPreflight,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const places = new Map<string, string[]>();
  const told = await Promise.all(
    regions.map(async (region) => {
      const risks = await preflight
        .risks(region, signal)
        .catch((error: unknown) => [
          `was not looked at beforehand: ${error instanceof Error ? error.message : String(error)}`,
        ]);
      return { region, risks };
    }),
  );
  for (const { region, risks } of told)
    for (const risk of risks) places.set(risk, [...(places.get(risk) ?? []), region]);
  return [...places].map(([risk, where]) => `${component} in ${where.join(", ")}: ${risk}`);
}
