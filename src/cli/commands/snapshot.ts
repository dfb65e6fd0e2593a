import { rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { snapshotOf } from "../../rehearsal/parity/snapshot.ts";
import { collectFacts } from "../facts/collect-facts.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { findSide } from "../facts/sides.ts";
import { now } from "../wiring/facts.ts";
import { unwritable } from "../terminal/write-output.ts";

type Options = {
  readonly env?: string;
  readonly plan?: string;
  readonly state?: string;
  readonly out?: string;
};

/** An environment as it is now, to be compared with later or elsewhere: schema, settings, sizes; no rows and no secrets. */
export async function snapshot(io: CliIo, _: readonly string[], options: Options): Promise<ExitStatus> {
  const given = await findSide(io, options.env ?? "", options.plan);
  if (given.kind === "snapshot")
    throw new UpgradeError("USAGE", `${options.env ?? ""} is a snapshot itself`, {
      hint: "name an environment: --env production",
    });
  const side = await collectFacts(io, given.environment, options.state === undefined ? {} : { state: options.state });
  const taken = snapshotOf(side, now(), io.version);
  const text = `${JSON.stringify(taken, undefined, 2)}\n`;
  if (options.out === undefined) {
    io.print(text.trimEnd());
    return EXIT.done;
  }
  await writePrivate(resolve(io.cwd, options.out), text);
  io.print(`wrote ${options.out}: ${taken.facts.length} facts of ${side.name}`);
  io.say(`To see what has changed since then:\n  midflight parity ${options.env ?? ""} ${options.out}`);
  return EXIT.done;
}

/** For its owner alone, and whole or not at all. */
async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: "wx" });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw unwritable(path, cause);
  }
}
