import { messageOf } from "../../errors/message-of.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import { wirePreflights, type WiredPreflight } from "../wiring/preflights.ts";

/** Whatever hangs: a look ahead keeps nobody waiting for longer. */
const DEADLINE_MS = 15_000;

/** What could go wrong with the targets as they are now, a sentence each. Only reads. What cannot be looked at is a risk as well. */
export async function risksSeen(
  io: CliIo,
  loaded: Loaded,
  /** Not asked about where somebody else acts, such as a conductor in the cluster, nor where `refuseForbidden` has asked already. */
  rights: "own" | "not asked" = "own",
): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const looks = (await wirePreflights(loaded, io.env)).map((one) =>
    inEach(one, async (region) => {
      const told = await Promise.all([
        rights === "own" ? one.preflight.missingRights(region, signal).catch(() => []) : [],
        one.preflight
          .risks(region, signal)
          .catch((error: unknown) => [`was not looked at beforehand: ${messageOf(error)}`]),
      ]);
      return told.flat();
    }),
  );
  return (await Promise.all(looks)).flat();
}

/** A run that would be stopped half-way by a right that it does not have does not begin. Rejects `KUBERNETES_FORBIDDEN` with all of them. */
export async function refuseForbidden(io: CliIo, loaded: Loaded): Promise<void> {
  const forbidden = await whatIsForbidden(io, loaded);
  if (forbidden !== undefined) throw forbidden;
}

/** The same as an error, for whoever has a run already that it ends. */
export async function whatIsForbidden(io: CliIo, loaded: Loaded): Promise<UpgradeError | undefined> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const wired = await wirePreflights(loaded, io.env);
  const looks = wired.map((one) =>
    // One that does not answer is reported by the first look at it.
    inEach(one, (region) => one.preflight.missingRights(region, signal).catch(() => [])),
  );
  const missing = (await Promise.all(looks)).flat();
  if (missing.length === 0) return undefined;
  return new UpgradeError("KUBERNETES_FORBIDDEN", `the upgrade would be stopped half-way: ${missing.join("; ")}`, {
    hint: "`midflight rbac` prints the Role that a plan needs: apply it to the user that upgrades; nothing was begun",
  });
}

/** What is so in several regions is told once. */
async function inEach(
  { component, regions }: WiredPreflight,
  look: (region: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const places = new Map<string, string[]>();
  const told = await Promise.all(
    regions.map(async (region) => {
      return { region, texts: await look(region) };
    }),
  );
  for (const { region, texts } of told)
    for (const text of texts) places.set(text, [...(places.get(text) ?? []), region]);
  return [...places].map(([text, where]) => `${component} in ${where.join(", ")}: ${text}`);
}
