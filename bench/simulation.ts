import type { Bench } from "./bench.ts";
import { decimal } from "./spread.ts";
import { simulate } from "../test/simulation/simulate.ts";

/** Simulated upgrades, killed and starved, in a minute: how much of the world of failures `npm test` can afford to see. */
export const simulation: Bench = {
  name: "simulation",
  about: "simulated runs a second, and the promises that they broke",
  run: async ({ options, publish, say, signal }) => {
    const seconds = options.seconds ?? (options.isQuick ? 5 : 60);
    const outcomes: Record<string, number> = {};
    const broken: { readonly seed: number; readonly problems: readonly string[] }[] = [];
    const since = performance.now();
    let runs = 0;
    while (performance.now() - since < seconds * 1_000) {
      signal.throwIfAborted();
      const seed = options.firstSeed + runs;
      const { run, problems } = await simulate(seed);
      runs += 1;
      const outcome = run?.phase.kind === "ended" ? run.phase.outcome : (run?.phase.kind ?? "nothing");
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (problems.length === 0) continue;
      broken.push({ seed, problems });
      say(`seed ${seed} breaks a promise: ${problems.join("; ")}`);
    }
    const took = (performance.now() - since) / 1_000;
    await publish({
      name: "simulation",
      settings: { seconds, firstSeed: options.firstSeed },
      figures: [
        {
          figure: "simulated runs a second",
          measured: `${decimal(runs / took, 0)} (${runs} in ${decimal(took, 0)} s)`,
          goal: "none stated",
          ok: undefined,
        },
        {
          figure: "simulated runs that broke a promise",
          measured: `${broken.length} of ${runs}`,
          goal: "0",
          ok: broken.length === 0,
        },
      ],
      tables: [
        {
          title: "How the simulated runs ended",
          head: ["outcome", "runs"],
          rows: Object.entries(outcomes).map(([outcome, count]) => [outcome, String(count)]),
        },
      ],
      raw: { runs, seconds: took, outcomes, broken },
    });
  },
};
