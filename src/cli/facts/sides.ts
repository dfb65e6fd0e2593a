import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { BadInput } from "../../errors/problem.ts";
import { unreadable } from "../../plan/source/decode-source.ts";
import type { Environment } from "../../plan/model.ts";
import type { PlacedAcceptance } from "../../rehearsal/parity/accept.ts";
import type { Side } from "../../rehearsal/parity/compare.ts";
import { isSnapshot, readSnapshot } from "../../rehearsal/parity/snapshot.ts";
import type { CliIo } from "../io.ts";
import { loadEnvironment, readRegular } from "../files/load.ts";

/** What one side of a comparison is: an environment to be asked, or one as it was. */
export type Given =
  | { readonly kind: "environment"; readonly environment: Environment }
  | { readonly kind: "snapshot"; readonly side: Side };

/** A whole exchange's catalogue fits many times. */
const MOST_BYTES = 256_000_000;

/**
 * Finds a side by name or file. A name is that of a file beside the plan, or where no plan is named, here or in `plans`.
 * Throws `BadInput`, `SNAPSHOT_INVALID`.
 */
export async function findSide(io: CliIo, given: string, plan: string | undefined): Promise<Given> {
  const file = fileOf(io, given, plan);
  if (file.endsWith(".json")) {
    const text = await textOf(io, file);
    if (isSnapshot(text)) return { kind: "snapshot", side: readSnapshot(text, file) };
  }
  return { kind: "environment", environment: await loadEnvironment(io, file) };
}

export const acceptedBy = (given: Given): readonly PlacedAcceptance[] =>
  given.kind === "snapshot" ? [] : acceptancesOf(given.environment);

/** The differences that an environment's file accepts, with where each stands. */
export const acceptancesOf = ({ name, parity }: Environment): readonly PlacedAcceptance[] =>
  parity.accept.map((one, index) => ({ ...one, from: name, index }));

function fileOf(io: CliIo, given: string, plan: string | undefined): string {
  if (given.includes("/") || /\.(ya?ml|json)$/.test(given)) return given;
  const name = `${given}.yaml`;
  if (plan !== undefined) return join(dirname(plan), name);
  const found = [name, join("plans", name)].find((file) => existsSync(resolve(io.cwd, file)));
  return found ?? name;
}

async function textOf(io: CliIo, file: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readRegular(resolve(io.cwd, file), MOST_BYTES));
  } catch (error) {
    throw new BadInput([unreadable(file, (error as NodeJS.ErrnoException).code ?? "EIO")]);
  }
}
