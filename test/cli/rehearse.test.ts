import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { midflight, start, until, type Ended } from "../support/cli.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

// One in each region: a rehearsal starts them some hundred times, and how many there are is not its question.
const OLD = { tokyo: ["gateway@1.0 100"], frankfurt: ["gateway@1.0 100"] };
const NEW = { tokyo: ["gateway@2.0 100"], frankfurt: ["gateway@2.0 100"] };

let place: SmallVenue;
beforeAll(() => begin(), 90_000);
afterAll(async () => {
  await place?.stop();
}, 60_000);

async function begin(): Promise<void> {
  place = await startSmallVenue({ name: "rehearse", withDemo: true, instances: 1, batch: 1, contract: true });
  const made = await call(["keys", "new", "--out", "plans/keys"]);
  if (made.status !== 0) throw new Error(`no keys were made: ${made.stderr}`);
}

const call = (args: readonly string[], limitMs = 60_000): Promise<Ended> =>
  midflight(args, { cwd: place.dir, env: place.env, limitMs });
const upgrade = (...more: readonly string[]): Promise<Ended> =>
  call(["upgrade", "plans/small.yaml", "--env", "production", ...more], 120_000);

/** Releases of the demo environment's gateways that live. A record of one that was never started may stay. */
async function demoReleases(): Promise<readonly string[]> {
  const root = join(place.state, "processes", "demo", "instances");
  const files = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const texts = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), "utf8").catch(() => "")),
  );
  return texts.flatMap((text) => {
    const [release, pid] = [/"release":\s*"([^"]+)"/.exec(text)?.[1], /"pid":\s*(\d+)/.exec(text)?.[1]];
    return release !== undefined && pid !== undefined && isAlive(Number(pid)) ? [release] : [];
  });
}

const runsIn = (): Promise<readonly string[]> => readdir(join(place.state, "runs")).catch(() => []);

/** The first soak of each run, ms, and how the run ended. */
async function soaksOfRuns() {
  return Promise.all(
    (await runsIn()).map(async (run) => {
      const folder = join(place.state, "runs", run);
      const journal = await readFile(join(folder, "journal.ndjson"), "utf8");
      const { fact } = JSON.parse(journal.slice(0, journal.indexOf("\n"))) as {
        readonly fact: {
          readonly graph: { readonly moves: readonly { readonly kind: string; readonly ms: number }[] };
        };
      };
      const report = await readFile(join(folder, "report.md"), "utf8").catch(() => "");
      const outcome = /^# .*: (\S+)/.exec(report)?.[1];
      return { run, outcome, ms: fact.graph.moves.find(({ kind }) => kind === "soak")?.ms };
    }),
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

type Summary = {
  readonly kind: string;
  readonly report: string;
  readonly certificate?: string;
  readonly drills: readonly { readonly kind: string; readonly outcome: string; readonly name: string }[];
};
const summaryOf = (ended: Ended): Summary => JSON.parse(ended.stdout.trimEnd().split("\n").at(-1) ?? "") as Summary;

describe("a plan that was not rehearsed", () => {
  test("does not reach production, and nothing is touched", async () => {
    const refused = await upgrade();
    expect(refused.status, refused.stderr).toBe(5);
    expect(refused.stderr).toContain("CERTIFICATE_MISSING");
    expect(await place.serving()).toEqual(OLD);
  });

  test.each([
    {
      name: "in production",
      args: ["--env", "production", "--for", "demo"],
      status: 5,
      says: "drills kill what runs there",
    },
    { name: "for itself", args: ["--env", "demo", "--for", "demo"], status: 5, says: "same environment" },
    { name: "to go on where nothing began", args: ["--resume"], status: 5, says: "waits for the end of its soak" },
    { name: "with a key that is none", args: ["--key", "plans/small.yaml"], status: 3, says: "SIGNING_KEY_UNUSABLE" },
  ])("is not rehearsed $name", async ({ args, status, says }) => {
    const refused = await call(["rehearse", "plans/small.yaml", ...args]);
    expect(refused.status, refused.stdout).toBe(status);
    expect(refused.stderr).toContain(says);
    expect(refused.stderr).not.toContain("    at ");
  });

  test("a quick look walks nothing and earns no certificate", async () => {
    const quick = await call(["rehearse", "plans/small.yaml", "--quick", "--json"]);
    expect(quick.status, quick.stderr).toBe(0);
    const summary = summaryOf(quick);
    expect(summary.drills.some(({ kind }) => kind === "walk")).toBe(false);
    expect(summary.certificate).toBeUndefined();
  });
});

describe("a rehearsal that is killed", () => {
  test("leaves nothing behind after the next one has begun", async () => {
    const killed = start(["rehearse", "plans/small.yaml", "--json"], {
      cwd: place.dir,
      env: place.env,
      limitMs: 240_000,
    });
    // The first drill that has instances of the new release up.
    await killed.says(/"kind":"drill-started".*the new release dies: admit/, 180_000);
    await until("the drill has changed demo", async () => (await demoReleases()).includes("gateway@2.0"), 60_000);
    process.kill(-killed.pid, "SIGKILL");
    await killed.ended;
    const next = start(["rehearse", "plans/small.yaml", "--json"], {
      cwd: place.dir,
      env: place.env,
      limitMs: 240_000,
    });
    await next.says(/was broken off: taking back what it left/);
    await next.says(/"kind":"drill-started".*"number":1/, 120_000);
    expect([...new Set(await demoReleases())]).toEqual(["gateway@1.0"]);
    process.kill(next.pid, "SIGINT");
    const ended = await next.ended;
    expect(ended.status, ended.stderr).toBe(130);
    expect([...new Set(await demoReleases())]).toEqual(["gateway@1.0"]);
  }, 600_000);
});

describe("a rehearsed plan", () => {
  let isTried = false;
  // A first try may have gone past the point of no return.
  beforeEach(async () => {
    if (isTried) {
      await place.stop();
      await begin();
    }
    isTried = true;
  }, 150_000);

  test("is drilled at every step, certified, and then let into production, and only as it was rehearsed", async () => {
    const before = new Set(await runsIn());
    const rehearsal = start(["rehearse", "plans/small.yaml", "--key", "plans/keys/rehearsal.pem", "--json"], {
      cwd: place.dir,
      env: place.env,
      limitMs: 360_000,
    });
    await rehearsal.says(/"kind":"drill-started".*"number":1/);
    const second = await call(["rehearse", "plans/small.yaml"]);
    expect([second.status, second.stderr.includes("LEASE_HELD")]).toEqual([5, true]);
    const ended = await rehearsal.ended;
    expect(ended.status, ended.stderr + ended.stdout.slice(-3_000)).toBe(0);
    const summary = summaryOf(ended);
    expect(summary.drills.filter(({ outcome }) => outcome === "failed")).toEqual([]);
    for (const kind of ["parity", "undo", "fault", "walk", "backup", "soak"])
      expect(
        summary.drills.some((drill) => drill.kind === kind && drill.outcome === "passed"),
        kind,
      ).toBe(true);
    const folder = dirname(summary.report);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(["junit.xml", "rehearsal.json", "report.html"]));
    expect(await readFile(join(folder, "junit.xml"), "utf8")).toContain('failures="0"');
    expect(await readFile(summary.report, "utf8")).toContain("<svg");
    expect(await place.serving()).toEqual(OLD);
    // What is taken back hurries, also where the conductor is another process; what demo keeps soaks as the plan says.
    expect(await readFile(join(folder, "rehearsal.json"), "utf8")).toContain(
      "soaks on the way of drills, 100ms at most",
    );
    const soaks = (await soaksOfRuns()).filter(({ run }) => !before.has(run));
    const kept = soaks.filter(({ ms }) => ms === 1_000);
    expect(kept.map(({ outcome }) => outcome)).not.toContain("undone");
    expect(kept.length).toBe(2);
    expect(new Set(soaks.filter((one) => !kept.includes(one)).map(({ ms }) => ms))).toEqual(new Set([100]));

    const migration = join(place.dir, "plans/migrations/orders/0001_price_bands.up.sql");
    const text = await readFile(migration, "utf8");
    await writeFile(migration, `${text} `);
    const edited = await upgrade();
    expect([edited.status, edited.stderr]).toEqual([5, expect.stringContaining("0001_price_bands.up.sql changed")]);
    await writeFile(migration, text);

    const promoted = await upgrade();
    expect(promoted.status, promoted.stderr + promoted.stdout.slice(-2_000)).toBe(0);
    expect(await place.serving()).toEqual(NEW);
  }, 480_000);
});
