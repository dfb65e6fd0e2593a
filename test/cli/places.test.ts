import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { midflightBinary } from "../support/build.ts";
import { midflight, OVERRIDE, start, type Ended } from "../support/cli.ts";
import { scratch } from "../support/scratch.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const folder = scratch();
const isRoot = process.getuid?.() === 0;
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const canBeNobody =
  isRoot && spawnSync(NOBODY[0] ?? "", [...NOBODY.slice(1), process.execPath, "--version"]).status === 0;
const OLD = { tokyo: ["gateway@1.0 100", "gateway@1.0 100"], frankfurt: ["gateway@1.0 100", "gateway@1.0 100"] };

describe("where midflight may not write", () => {
  let place: SmallVenue;
  beforeAll(async () => {
    place = await startSmallVenue({ name: "places" });
  }, 60_000);
  afterAll(async () => {
    await place?.stop();
  }, 30_000);
  const call = (args: readonly string[], under: readonly string[] = []): Promise<Ended> =>
    midflight(args, { cwd: place.dir, env: place.env, under, limitMs: 60_000 });

  const REFUSED = { status: 5, isNamed: true, hasTrace: false, serving: OLD };

  /** How a refusal looks that names this path. */
  async function refusal(ended: Ended, path: string): Promise<unknown> {
    const { status, stderr } = ended;
    return {
      status,
      isNamed: stderr.includes("STATE_UNWRITABLE") && stderr.includes(path),
      hasTrace: /\n\s+at /.test(stderr),
      serving: await place.serving(),
    };
  }

  test("a state folder that is a file is refused with its path", async () => {
    writeFileSync(join(place.dir, "a-file"), "");
    expect(await refusal(await call([...UPGRADE, "--state", "a-file"]), "a-file")).toEqual(REFUSED);
    expect(await refusal(await call([...UPGRADE, "--state", "a-file/below"]), "a-file")).toEqual(REFUSED);
  }, 20_000);

  test.runIf(canBeNobody)(
    "a state folder of somebody else is refused with its path",
    async () => {
      chmodSync(dirname(place.dir), 0o755);
      const closed = join(place.dir, "closed");
      mkdirSync(closed, { mode: 0o700 });
      expect(await refusal(await call([...UPGRADE, "--state", "closed"], NOBODY), "closed")).toEqual(REFUSED);
      expect(await refusal(await call([...UPGRADE, "--state", "nobodys/state"], NOBODY), "nobodys")).toEqual(REFUSED);
      expect(readdirSync(closed)).toEqual([]);
      const status = await call(["status", "--state", "closed"], NOBODY);
      expect([status.status, status.stderr.includes("\n    at ")]).toEqual([5, false]);
    },
    20_000,
  );
});

const UPGRADE = ["upgrade", "plans/small.yaml", "--env", "plans/production.yaml", ...OVERRIDE];
const canMount = isRoot && process.platform === "linux" && canMountHere();

function canMountHere(): boolean {
  const dir = mkdtempSync(join(tmpdir(), "midflight-mount-"));
  const isMounted = mountDisk(dir);
  if (isMounted) spawnSync("umount", [dir]);
  rmdirSync(dir);
  return isMounted;
}

function mountDisk(dir: string): boolean {
  mkdirSync(dir, { recursive: true });
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "none", dir]).status === 0;
}

describe.runIf(canMount)("a small disk", () => {
  let place: SmallVenue;
  let mounted: string | undefined;
  beforeAll(async () => {
    const prepare = (dir: string): void => {
      if (mountDisk(dir)) mounted = dir;
    };
    place = await startSmallVenue({ name: "disk", prepare });
  }, 60_000);
  afterAll(async () => {
    await place?.users.stop();
    await place?.estate.stop();
    // Also where the venue did not start on it.
    if (mounted !== undefined) spawnSync("umount", [mounted]);
    await place?.stop();
  }, 30_000);
  const call = (args: readonly string[]): Promise<Ended> =>
    midflight(args, { cwd: place.dir, env: place.env, limitMs: 60_000 });
  // Whoever writes meanwhile takes some of what was free: the disk is full all the same.
  const fill = (ballast: string): void => {
    try {
      writeFileSync(ballast, Buffer.alloc(freeIn(place.state)));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  };

  test("that is full lets no upgrade begin", async () => {
    const ballast = join(place.state, "ballast");
    fill(ballast);
    const { status, stderr } = await call(UPGRADE);
    expect([status, stderr.includes("STATE_UNWRITABLE")], stderr).toEqual([5, true]);
    rmSync(ballast);
    expect(await place.serving()).toEqual(OLD);
  }, 20_000);

  test("that fills up stops the run before anything more is done, and resume goes on once there is room", async () => {
    const ballast = join(place.state, "ballast");
    // Left by a try before this one.
    rmSync(ballast, { force: true });
    const conductor = start(UPGRADE, { cwd: place.dir, env: place.env, limitMs: 60_000 });
    await conductor.says(/move-done +done: prove/);
    fill(ballast);
    const { status, stdout, stderr } = await conductor.ended;
    expect([status, stderr.includes("JOURNAL_WRITE_FAILED")], stdout + stderr).toEqual([6, true]);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect((await call(["status", "--state", "plans/.midflight"])).status).toBe(0);
    rmSync(ballast);
    const resumed = await call(["resume", "--state", "plans/.midflight"]);
    expect(resumed.status, resumed.stdout + resumed.stderr).toBe(0);
  }, 90_000);
});

const freeIn = (path: string): number => {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
};

/** What a package holds, in a folder with a space in its name, for everybody to read. */
function packageWithSpaces(): string {
  const root = join(dirname(midflightBinary()), "..");
  const copy = join(folder(), "my midflight");
  mkdirSync(copy);
  chmodSync(dirname(copy), 0o755);
  for (const name of ["bin", "dist", "plans", "package.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

type Facts = { readonly curl: string };

describe("a checkout in a folder with spaces", () => {
  /** What the order by curl said, how the venue ended, and what it left where it was started. */
  async function venueFor(under: readonly string[]): Promise<unknown> {
    const copy = packageWithSpaces();
    const cwd = folder();
    chmodSync(cwd, 0o777);
    const venue = start(["demo", "venue", "--json"], {
      cwd,
      env: { HOME: "/nonexistent" },
      under,
      binary: join(copy, "bin/midflight.js"),
      limitMs: 60_000,
    });
    await venue.says(/"kind":"venue"/);
    const { curl } = JSON.parse(venue.stdout()) as Facts;
    const { code } = JSON.parse(spawnSync("sh", ["-c", curl], { encoding: "utf8" }).stdout) as {
      readonly code: string;
    };
    process.kill(venue.pid, "SIGTERM");
    return { code, status: (await venue.ended).status, left: readdirSync(cwd) };
  }

  const RUNS = { code: "0", status: 0, left: [] };

  test("runs the venue", async () => {
    expect(await venueFor([])).toEqual(RUNS);
  }, 60_000);

  test.runIf(canBeNobody)(
    "runs the venue for a user without a name, a group or a home",
    async () => {
      expect(await venueFor(NOBODY)).toEqual(RUNS);
    },
    60_000,
  );
});
