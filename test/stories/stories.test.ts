import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { midflight } from "../support/cli.ts";

/** The stories as `npm run demo` tells them, on a smaller venue. Each checks its own promises; these check what a user gets. */
type Story = {
  readonly name: string;
  readonly outcome: string;
  readonly operations: number;
  readonly failedByFault: number;
  readonly tripMs: number | null;
  readonly undoMs: number | null;
  readonly lost: number;
  readonly rowsLost: number;
  readonly report: string;
};

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight stories-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

// A machine that stands still for a quarter of a second fails users all by itself; then the story is told once more.
const HOW = { timeout: 200_000, retry: 1 };

async function tell(name: string): Promise<Story> {
  const ended = await midflight(
    [
      "demo",
      "--no-rehearsal",
      "--story",
      name,
      "--json",
      "--instances",
      "3",
      "--rate",
      "200",
      "--seed",
      "1",
      "--dir",
      dir,
    ],
    { cwd: dir, limitMs: 190_000 },
  );
  expect(ended.stderr).not.toContain("    at ");
  expect(ended.status, `${ended.stderr.slice(-2_000)}\n${ended.stdout.slice(-2_000)}`).toBe(0);
  const lines = ended.stdout.trimEnd().split("\n");
  const [first] = lines;
  expect(JSON.parse(first ?? "")).toMatchObject({ kind: "version" });
  const last = JSON.parse(lines.at(-1) ?? "") as { readonly kind: string; readonly stories: readonly Story[] };
  expect(last.kind).toBe("demo-summary");
  const [story] = last.stories;
  if (story === undefined) throw new Error("no story was told");
  expect(story).toMatchObject({ name, lost: 0, rowsLost: 0 });
  return story;
}

test("good-upgrade: every gateway is replaced and the metadata contracts, and no user notices", HOW, async () => {
  const story = await tell("good-upgrade");
  expect(story).toMatchObject({ outcome: "promoted", tripMs: null });
  expect(story.operations).toBeGreaterThan(3_000);
});

test("rehearsal-2023: the update that broke trading is refused where it is rehearsed, by name", HOW, async () => {
  const story = await tell("rehearsal-2023");
  expect(story.outcome).toBe("refused");
  const report = await readFile(story.report, "utf8");
  expect(report).toContain("0002_split_tiers");
  expect(report).toMatch(/statement &quot;account&quot; of gateway@1.0 breaks for shard-\d/);
});

test(
  "metadata-2023: what breaks some accounts is seen in their own traffic and taken back, metadata included",
  HOW,
  async () => {
    const story = await tell("metadata-2023");
    expect(story.outcome).toBe("undone");
    expect(story.failedByFault).toBeGreaterThan(0);
    const report = await readFile(story.report, "utf8");
    expect(report).toContain("## Impact");
    expect(report).toMatch(/after metadata orders-db|orders-db/);
    expect(report).toContain("Undone, equal to the record from before");
  },
);

test("bad-release-dark: what probes can see reaches no user", HOW, async () => {
  expect(await tell("bad-release-dark")).toMatchObject({ outcome: "undone", failedByFault: 0 });
});

test(
  "bad-release-live: what only users' traffic shows is withdrawn and undone, and the expand is kept",
  HOW,
  async () => {
    const story = await tell("bad-release-live");
    expect(story.outcome).toBe("undone");
    expect(await readFile(story.report, "utf8")).toContain("Kept on purpose");
  },
);

test(
  "servers-2021: servers die in the middle, no order is lost, and the upgrade goes on when they are back",
  HOW,
  async () => {
    const story = await tell("servers-2021");
    expect(story.outcome).toBe("promoted");
    expect(await readFile(story.report, "utf8")).toMatch(/holding, nothing moves/);
  },
);
