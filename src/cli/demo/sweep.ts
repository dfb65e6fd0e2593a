import { join, resolve } from "node:path";
import { EXIT } from "../../errors/catalog.ts";
import type { DemoOptions } from "./options.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { ownScript } from "../shipped.ts";
import { wireLeftovers } from "../wiring/estate.ts";

/** What a demo leaves to its guardian: it ends the gateways of the environment in this folder. */
export const sweepCommand = (folder: string): readonly string[] => [
  process.execPath,
  ownScript(),
  "demo",
  "sweep",
  "--dir",
  resolve(folder),
];

/** An upgrade that another process conducts may start one more meanwhile. */
const TIMES = 3;

/** `midflight demo sweep`, which nobody needs to call: a demo that was killed has its gateways ended so. */
export async function sweep(io: CliIo, options: DemoOptions): Promise<ExitStatus> {
  const stateDir = join(resolve(io.cwd, options.dir ?? "."), ".midflight");
  for (let time = 1; time <= TIMES; time += 1) {
    for (const estate of await wireLeftovers(stateDir)) await estate.stop();
  }
  return EXIT.done;
}
