import { EXIT } from "../../errors/catalog.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { startBriefed } from "../wiring/briefed.ts";

type Options = { readonly left?: string };

/** What a Deployment of a region runs: probes as its guard orders in a file, and prints what comes of it, until it is told to leave. */
export async function probe(io: CliIo, [folder = ""]: readonly string[], { left }: Options): Promise<ExitStatus> {
  const told = Promise.withResolvers<void>();
  const unhear = io.onSignal(() => told.resolve());
  const print = (line: string): void => io.print(line);
  const prober = startBriefed({ folder, env: io.env, print, ...(left === undefined ? {} : { left }) });
  await told.promise;
  await prober.stop();
  unhear();
  return EXIT.done;
}
