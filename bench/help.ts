import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { MIDFLIGHT } from "./places.ts";
import { decimal, median, ms } from "./spread.ts";

const MOST = 2;

/** How long a person waits for `midflight --help`, against a Node program that does nothing. */
export const help: Bench = {
  name: "help",
  about: "`midflight --help` against an empty Node program, in pairs",
  run: async ({ options, dir, publish, signal }) => {
    const empty = join(dir, "empty.mjs");
    await writeFile(empty, "");
    const count = options.pairs ?? (options.isQuick ? 5 : 30);
    // The first ones read the disk.
    wall(empty);
    wall(MIDFLIGHT, "--help");
    const pairs: { readonly emptyMs: number; readonly helpMs: number }[] = [];
    for (let pair = 0; pair < count; pair += 1) {
      signal.throwIfAborted();
      pairs.push({ emptyMs: wall(empty), helpMs: wall(MIDFLIGHT, "--help") });
    }
    const ratio = median(pairs.map(({ emptyMs, helpMs }) => helpMs / emptyMs)) ?? Number.NaN;
    await publish({
      name: "help",
      settings: { pairs: count },
      figures: [
        {
          figure: "`midflight --help` against an empty Node program, median ratio of pairs",
          measured: `${decimal(ratio, 2)} × (${ms(median(pairs.map(({ helpMs }) => helpMs)))} against ${ms(median(pairs.map(({ emptyMs }) => emptyMs)))})`,
          goal: `at most ${MOST} ×`,
          ok: ratio <= MOST,
        },
      ],
      tables: [],
      raw: { ratio, pairs },
    });
  },
};

/** From before the start to after the end, ms. */
function wall(...args: readonly string[]): number {
  const since = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const took = performance.now() - since;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr.toString()}`);
  return took;
}
