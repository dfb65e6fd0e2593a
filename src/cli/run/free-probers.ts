import { messageOf } from "../../errors/message-of.ts";
import type { Environment } from "../../plan/model.ts";
import type { LeftProber, LeftProbers } from "../../ports/left-probers.ts";
import type { CliIo } from "../io.ts";
import { wireLeftProbers } from "../wiring/probers.ts";

export type FoundProber = { readonly region: string; readonly left: LeftProbers; readonly prober: LeftProber };

/** Probes that dead runs left. Those of a run that lives are told and left alone. */
export async function findProbers(
  io: CliIo,
  environment: Environment,
  signal: AbortSignal,
): Promise<{ readonly found: readonly FoundProber[]; readonly failures: readonly unknown[] }> {
  const wired = await wireLeftProbers(environment, io.env);
  const looked = await Promise.allSettled(wired.map(({ left }) => left.look(signal)));
  const found: FoundProber[] = [];
  const failures: unknown[] = [];
  for (const [index, one] of looked.entries()) {
    const { region, left } = wired[index] ?? {};
    if (region === undefined || left === undefined) continue;
    if (one.status === "rejected") {
      io.say(`the probes of ${region} could not be looked at: ${messageOf(one.reason)}`);
      failures.push(one.reason);
      continue;
    }
    for (const prober of one.value)
      if (prober.isAbandoned) found.push({ region, left, prober });
      else io.say(`the probes of ${region} (${prober.place}) are at work for ${prober.run}, and stay`);
  }
  return { found, failures };
}

export const proberText = ({ region, prober }: FoundProber): string =>
  `probes of ${region}: ${prober.place} was left by ${prober.run}\n  - its pod takes back what it left open, and goes`;

export async function freeProber(io: CliIo, { region, left, prober }: FoundProber, signal: AbortSignal): Promise<void> {
  await left.remove(prober, signal);
  io.print(`the probes of ${region} that ${prober.run} left are gone`);
}
