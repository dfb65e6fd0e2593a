import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { MIDFLIGHT } from "./places.ts";
import { decimal, largest, median, ms } from "./spread.ts";

const STEPS = 2_000;
const MOST_MS = 1_000;
const MOST_MB = 200;

/** `midflight check` of a plan with 2,000 steps: how long it takes, and how much memory. */
export const check: Bench = {
  name: "check",
  about: "`midflight check` of a plan with 2,000 steps: time and peak memory",
  run: async ({ options, dir, publish, signal }) => {
    const plan = join(dir, "large.yaml");
    const text = largePlan();
    await writeFile(plan, text);
    const empty = join(dir, "empty.mjs");
    await writeFile(empty, "");
    const count = options.isQuick ? 3 : 10;
    const runs: { readonly ms: number; readonly peakMb: number; readonly emptyMs: number; readonly emptyMb: number }[] =
      [];
    for (let run = 0; run < count; run += 1) {
      signal.throwIfAborted();
      runs.push({
        ms: wall(MIDFLIGHT, "check", plan),
        peakMb: peak(MIDFLIGHT, "check", plan),
        emptyMs: wall(empty),
        emptyMb: peak(empty),
      });
    }
    const took = median(runs.map((run) => run.ms)) ?? Number.NaN;
    const most = largest(runs.map(({ peakMb }) => peakMb)) ?? Number.NaN;
    await publish({
      name: "check",
      settings: { steps: STEPS, bytes: text.length, runs: count },
      figures: [
        {
          figure: `\`midflight check\` of a plan with ${STEPS} steps, median time`,
          measured: `${ms(took)} (an empty Node program: ${ms(median(runs.map(({ emptyMs }) => emptyMs)))})`,
          goal: `under ${MOST_MS} ms`,
          ok: took < MOST_MS,
        },
        {
          figure: `the same, largest peak memory`,
          measured: `${decimal(most, 0)} MB (an empty Node program: ${decimal(largest(runs.map(({ emptyMb }) => emptyMb)), 0)} MB)`,
          goal: `under ${MOST_MB} MB`,
          ok: most < MOST_MB,
        },
      ],
      tables: [],
      raw: { runs },
    });
  },
};

/** Good for `check`: a quarter of the steps rolls a component each, with waves; the others wait, look, run a program or ask. */
export function largePlan(): string {
  const rolled = Array.from({ length: STEPS / KINDS.length }, (_, at) => `service-${at}`);
  const steps = Array.from({ length: STEPS }, (_, at) => KINDS[at % KINDS.length]?.(Math.floor(at / KINDS.length)));
  return [
    "midflight: 1",
    "plan: large",
    "components:",
    ...rolled.map((name) => `  ${name}: { release: ${name}@2.0 }`),
    "steps:",
    ...steps,
    "",
  ].join("\n");
}

const KINDS: readonly ((at: number) => string)[] = [
  (at) =>
    [
      `  - roll: service-${at}`,
      "    dark: { exclude: 5%, confidence: 99% }",
      "    drain: { notice: 1s, deadline: 5s }",
      "    waves:",
      "      - { regions: [tokyo], batch: 1, surge: 1, soak: 3s }",
      "      - { regions: rest, batch: 2, surge: 2, soak: 3s }",
    ].join("\n"),
  () => "  - soak: 3s",
  (at) => `  - verify: service-${at}`,
  (at) =>
    at % 2 === 0
      ? `  - run: { argv: [node, ./announce.mjs, "${at}"], undo: [node, ./announce.mjs, "-${at}"] }`
      : "  - approve: { who: ops, in: [production] }",
];

function wall(...args: readonly string[]): number {
  const since = performance.now();
  ended(args, ["ignore", "pipe", "pipe"]);
  return performance.now() - since;
}

const PRELOAD = new URL("./peak-memory.mjs", import.meta.url).href;

/** MB (10⁶ bytes) of resident memory at the most. Measured in a run of its own, which is not timed. */
function peak(...args: readonly string[]): number {
  const output = ended(["--import", PRELOAD, ...args], ["ignore", "pipe", "pipe", "pipe"]);
  return (Number(output[3]?.toString()) * 1_024) / 1e6;
}

function ended(args: readonly string[], stdio: ("ignore" | "pipe")[]): readonly (Buffer | null)[] {
  const { status, stderr, stdout, output } = spawnSync(process.execPath, args, { stdio });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr.toString()}${stdout.toString()}`);
  return output;
}
