import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Bench, Figure, Result, Stage } from "./bench.ts";
import { midflight } from "./midflight.ts";
import { largest, median, ms, sum } from "./spread.ts";

/** Every story on several seeds, one after the other, through the command line: what users' own client measured. */
export const stories: Bench = {
  name: "stories",
  about: "the demo's stories on several seeds: how soon the guard acts, how soon all is undone, what users felt",
  run: async (stage) => {
    for (const story of chosen(stage)) await stage.publish(await measure(story, stage));
  },
};

const STORIES = ["good-upgrade", "metadata-2023", "bad-release-dark", "bad-release-live", "servers-2021"] as const;
type StoryName = (typeof STORIES)[number];

/** A line of `demo-summary`. */
type Told = {
  readonly name: string;
  readonly outcome: string;
  readonly operations: number;
  readonly failed: number;
  readonly failedByFault: number;
  readonly planted: number;
  readonly ambiguous: number;
  readonly tripMs: number | null;
  readonly lastFailureMs: number | null;
  readonly undoMs: number | null;
  readonly lost: number;
  readonly rowsLost: number;
  readonly latency: { readonly beforeP99: number | null; readonly duringP99: number | null };
};

/** A seed that failed stays in the table, with what it said. */
type Seed = { readonly seed: number; readonly seconds: number } & (
  | { readonly ok: true; readonly told: Told }
  | { readonly ok: false; readonly why: string }
);

function chosen({ options }: Stage): readonly StoryName[] {
  const asked = options.stories ?? STORIES;
  return asked.map((name) => {
    const story = STORIES.find((one) => one === name);
    if (story === undefined) throw new Error(`there is no story ${name}: choose among ${STORIES.join(", ")}`);
    return story;
  });
}

async function measure(story: StoryName, stage: Stage): Promise<Result> {
  const { options } = stage;
  const count = options.seeds ?? (options.isQuick ? 1 : 10);
  const seeds: Seed[] = [];
  for (let seed = options.firstSeed; seed < options.firstSeed + count; seed += 1) {
    const one = await tell(story, seed, stage);
    seeds.push(one);
    stage.say(
      `${story} seed ${seed}: ${one.ok ? inShort(one.told) : `FAILED: ${one.why}`} (${Math.round(one.seconds)} s)`,
    );
  }
  const told = seeds.flatMap((one) => (one.ok ? [one.told] : []));
  return {
    name: `story-${story}`,
    settings: { story, firstSeed: options.firstSeed, seeds: count, ratePerSec: options.ratePerSec },
    figures: figuresOf(story, seeds, told),
    tables: [
      {
        title: `${story}, seed by seed`,
        head: [
          "seed",
          "outcome",
          "operations",
          "failed",
          "by fault",
          "lost",
          "first failure → verdict",
          "→ last failure",
          "verdict → undone",
        ],
        rows: seeds.map((one) => (one.ok ? row(one.seed, one.told) : [String(one.seed), "FAILED"])),
      },
      {
        title: "Seeds that failed",
        head: ["seed", "why"],
        rows: seeds.flatMap((one) => (one.ok ? [] : [[String(one.seed), one.why]])),
      },
    ],
    raw: { seeds },
  };
}

const row = (
  seed: number,
  { outcome, operations, failed, failedByFault, lost, tripMs, lastFailureMs, undoMs }: Told,
) => [
  String(seed),
  outcome,
  ...[operations, failed, failedByFault, lost].map(String),
  ms(tripMs),
  ms(lastFailureMs),
  ms(undoMs),
];

const inShort = ({ outcome, operations, failed, lost, tripMs, undoMs }: Told): string =>
  `${outcome}, ${operations} operations, ${failed} failed, ${lost} lost, verdict after ${ms(tripMs)}, undone after ${ms(undoMs)}`;

async function tell(story: StoryName, seed: number, stage: Stage): Promise<Seed> {
  const { signal, options } = stage;
  const dir = join(stage.dir, `${story}-${seed}`);
  await mkdir(dir, { recursive: true });
  const since = performance.now();
  const end = await midflight({
    args: [
      "demo",
      "--no-rehearsal",
      "--story",
      story,
      "--seed",
      String(seed),
      "--rate",
      String(options.ratePerSec),
      "--json",
      "--dir",
      dir,
    ],
    cwd: dir,
    signal,
  });
  const seconds = Math.round((performance.now() - since) / 100) / 10;
  const told = end.status === 0 ? summaryOf(end.lastLine) : undefined;
  if (told === undefined) {
    stage.keep(dir);
    return { seed, seconds, ok: false, why: reasonOf(end.complaint, end.status) };
  }
  await rm(dir, { recursive: true, force: true });
  return { seed, seconds, ok: true, told };
}

function summaryOf(line: string): Told | undefined {
  try {
    const summary = JSON.parse(line) as {
      readonly kind?: string;
      readonly stories?: readonly (Told & { readonly report?: string })[];
    };
    const [story] = summary.kind === "demo-summary" ? (summary.stories ?? []) : [];
    if (story === undefined) return undefined;
    // Its folder is gone when the seed was told well, and lay where nobody else has one.
    const { report: _, ...told } = story;
    return told;
  } catch {
    return undefined;
  }
}

/** The message of the error, without the progress that came before it. */
function reasonOf(complaint: string, status: number | null): string {
  const lines = complaint.split("\n").map((line) => line.trim());
  const at = lines.findLastIndex((line) => /\b[A-Z]+(_[A-Z]+)+\b/.test(line) && !line.startsWith("More:"));
  const text = (at === -1 ? lines.slice(-3) : lines.slice(at))
    .filter((line) => line !== "" && !line.startsWith("More:"))
    .join(" ");
  return `exit ${status}: ${text === "" ? "it said nothing" : text}`;
}

function figuresOf(story: StoryName, seeds: readonly Seed[], told: readonly Told[]): readonly Figure[] {
  const isWhole = told.length === seeds.length;
  const lost = sum(told.map((one) => one.lost)) + sum(told.map((one) => one.rowsLost));
  return [
    {
      figure: `${story}: seeds that end as they must`,
      measured: `${told.length} of ${seeds.length}`,
      goal: "all",
      ok: isWhole,
    },
    ...ownFigures(story, told, isWhole),
    {
      figure: `${story}: orders and rows lost`,
      measured: `${lost}${isWhole ? "" : " (failed seeds say nothing)"}`,
      goal: "0",
      ok: lost === 0 && isWhole,
    },
  ];
}

const TRIP_MS = 1_000;
const UNDO_MS = 5_000;
const OPERATIONS = 20_000;

function ownFigures(story: StoryName, told: readonly Told[], isWhole: boolean): readonly Figure[] {
  const operations = sum(told.map((one) => one.operations));
  const failed = sum(told.map((one) => one.failed));
  const byFault = sum(told.map((one) => one.failedByFault));
  switch (story) {
    case "good-upgrade":
      return [
        {
          figure: `${story}: user operations failed beyond the seeded ones`,
          measured: `${failed} of ${operations}`,
          goal: `0 of at least ${OPERATIONS}`,
          ok: failed === 0 && operations >= OPERATIONS && isWhole,
        },
      ];
    case "bad-release-dark":
      return [
        {
          figure: `${story}: user operations failed by the fault`,
          measured: `${byFault} of ${operations}`,
          goal: "0",
          ok: byFault === 0 && isWhole,
        },
      ];
    case "metadata-2023":
    case "bad-release-live":
      return [
        within(
          `${story}: first failing operation → verdict that acts`,
          told.map((one) => one.tripMs),
          TRIP_MS,
        ),
        {
          figure: `${story}: first failing operation → last failing one`,
          measured: medianAndMost(told.map((one) => one.lastFailureMs)),
          goal: "none stated",
          ok: undefined,
        },
        within(
          `${story}: verdict → undone`,
          told.map((one) => one.undoMs),
          UNDO_MS,
        ),
      ];
    case "servers-2021":
      return [
        {
          figure: `${story}: user operations failed while a server was away`,
          measured: `${byFault} of ${operations}`,
          goal: "none stated",
          ok: undefined,
        },
      ];
  }
}

const known = (values: readonly (number | null)[]): readonly number[] => values.filter((value) => value !== null);

const medianAndMost = (values: readonly (number | null)[]): string =>
  `median ${ms(median(known(values)))}, largest ${ms(largest(known(values)))}`;

function within(figure: string, values: readonly (number | null)[], goal: number): Figure {
  const middle = median(known(values));
  return {
    figure,
    measured: medianAndMost(values),
    goal: `median under ${goal} ms`,
    ok: middle !== undefined && middle < goal,
  };
}
