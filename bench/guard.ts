import type { Bench } from "./bench.ts";
import { bins } from "./guard/part-bins.ts";
import { cohorts } from "./guard/part-cohorts.ts";
import { cost } from "./guard/part-cost.ts";
import { curve } from "./guard/part-curve.ts";
import { falseAlarms } from "./guard/part-false-alarms.ts";
import { live } from "./guard/part-live.ts";
import { outcomes } from "./guard/part-outcomes.ts";
import { twoSides } from "./guard/part-two-sides.ts";
import { windows } from "./guard/part-windows.ts";
import type { Part, Size } from "./guard/part.ts";

/** How soon the guard decides, against the exact bound of what any rule could do, and how seldom it is wrong. */
export const guard: Bench = {
  name: "guard",
  about: "how soon the guard decides and how seldom it is wrong, simulated, beside the exact bound",
  run: async ({ options, say, publish, signal }) => {
    const size: Size = {
      runs: options.isQuick ? 1_000 : 20_000,
      effort: options.isQuick ? { alarms: 30, bursts: 1e6 } : { alarms: 200, bursts: 3e7 },
      seed: options.firstSeed,
    };
    const parts: readonly (readonly [name: string, part: () => Part])[] = [
      // First, while nothing else of this process is warm or full.
      ["cost", () => cost(size, options.isQuick ? 0.25 : 7)],
      ["outcomes", () => outcomes(size)],
      ["bins", () => bins(size)],
      ["false alarms", () => falseAlarms(size, say)],
      ["two sides", () => twoSides(size)],
      ["live", () => live(size)],
      ["cohorts", () => cohorts(size)],
      ["windows", () => windows(size)],
      ["curve", () => curve(size)],
    ];
    const told: Part[] = [];
    const raw: Record<string, unknown> = {};
    for (const [name, part] of parts) {
      signal.throwIfAborted();
      say(name);
      const done = part();
      told.push(done);
      raw[name] = done.raw;
      // Lets a signal in.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await publish({
      name: "guard",
      settings: { ...size },
      figures: told.flatMap(({ figures }) => figures),
      tables: told.flatMap(({ tables }) => tables),
      raw,
      files: Object.assign({}, ...told.map(({ files }) => files ?? {})) as Readonly<Record<string, string>>,
    });
  },
};
