import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { midflightBinary } from "../support/build.ts";
import { midflight, OVERRIDE, type Ended } from "../support/cli.ts";
import { scratch } from "../support/scratch.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const folder = scratch();
const ESCAPE = "\u001B";
const hasTerminals = spawnSync("script", ["--version"]).status === 0;

/** Runs the binary in a pseudo terminal of this many columns, and types `keys` once it asks. */
function inTerminal(
  args: readonly string[],
  how: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly columns?: number;
    readonly keys?: string;
  },
): Promise<{ readonly status: number | null; readonly screen: string }> {
  const words = [process.execPath, midflightBinary(), ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", `stty cols ${how.columns ?? 120} rows 40; exec ${words}`, "/dev/null"], {
    cwd: how.cwd,
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm-256color", ...how.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let screen = "";
  let isAnswered = false;
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString();
    if (how.keys === undefined || isAnswered || !screen.includes("[y/N]")) return;
    isAnswered = true;
    child.stdin.write(how.keys);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 90_000);
  return new Promise((resolve) => {
    child.once("close", (status) => {
      clearTimeout(timer);
      resolve({ status, screen });
    });
  });
}

describe("a complaint", () => {
  const complain = (env: Readonly<Record<string, string>>): Promise<Ended> =>
    midflight(["check", "nowhere.yaml"], { cwd: folder(), env });

  test("has no colour where it is no terminal, with NO_COLOR even when colour is forced, and with TERM=dumb", async () => {
    const environments: readonly Readonly<Record<string, string>>[] = [
      {},
      { CI: "1" },
      { NO_COLOR: "1", FORCE_COLOR: "1" },
      { TERM: "dumb", FORCE_COLOR: "1" },
    ];
    for (const env of environments) {
      const { status, stderr } = await complain(env);
      expect([env, status, stderr.includes(ESCAPE)]).toEqual([env, 3, false]);
    }
  });

  test("has colour when it is forced", async () => {
    expect((await complain({ FORCE_COLOR: "1" })).stderr).toContain(`${ESCAPE}[31m`);
  });

  test.runIf(hasTerminals)("has colour in a terminal, and none there with NO_COLOR", async () => {
    expect((await inTerminal(["check", "nowhere.yaml"], { cwd: folder() })).screen).toContain(`${ESCAPE}[31m`);
    expect(
      (await inTerminal(["check", "nowhere.yaml"], { cwd: folder(), env: { NO_COLOR: "1" } })).screen,
    ).not.toContain(ESCAPE);
  });
});

describe("output that cannot be written", () => {
  test("is no failure when its reader left", () => {
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", '"$0" "$@" | head -1; exit "${PIPESTATUS:-0}"', process.execPath, midflightBinary(), "explain"],
      { encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([0, ""]);
  });

  test.runIf(process.platform === "linux")("is said and is a failure on a full disk", () => {
    const full = openSync("/dev/full", "w");
    try {
      const { status, stderr } = spawnSync(process.execPath, [midflightBinary(), "explain"], {
        stdio: ["ignore", full, "pipe"],
        encoding: "utf8",
      });
      expect(status).toBe(5);
      expect(stderr).toContain("not whole");
    } finally {
      closeSync(full);
    }
  });
});

describe("an upgrade", () => {
  let place: SmallVenue;
  beforeAll(async () => {
    place = await startSmallVenue({ name: "output" });
  }, 60_000);
  afterAll(async () => {
    await place?.stop();
  }, 30_000);
  const UPGRADE = ["upgrade", "plans/small.yaml", "--env", "plans/production.yaml", ...OVERRIDE];

  test("with --json prints nothing but JSON, first its version, and no colour", async () => {
    const { status, stdout } = await midflight([...UPGRADE, "--json"], {
      cwd: place.dir,
      env: { ...place.env, FORCE_COLOR: "1" },
      limitMs: 60_000,
    });
    expect(status, stdout.slice(-2_000)).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly kind: string; readonly run?: string });
    expect(lines[0]?.kind).toBe("version");
    expect(lines.at(-1)?.kind).toBe("ended");
    expect(stdout).not.toContain(ESCAPE);
    const seconds = lines.filter(({ kind }) => kind === "pulse").length;
    expect(seconds).toBeGreaterThan(3);
    const back = await midflight(
      ["rollback", lines.find(({ kind }) => kind === "run-opened")?.run ?? "", "--state", "plans/.midflight", "--json"],
      { cwd: place.dir, env: place.env, limitMs: 60_000 },
    );
    expect(back.status).toBe(1);
    expect(
      back.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { readonly kind: string }).kind)[0],
    ).toBe("version");
  }, 90_000);

  test.runIf(hasTerminals)(
    "asks in a terminal, and touches nothing unless the answer is yes",
    async () => {
      const how = { cwd: place.dir, env: place.env };
      for (const keys of ["n\n", "\n", "\u0003", "\u0004"]) {
        const { status, screen } = await inTerminal(UPGRADE, { ...how, keys });
        expect([keys, status, screen.includes("Nothing was touched")]).toEqual([keys, 5, true]);
      }
      const mute = await inTerminal([...UPGRADE, "--no-input"], how);
      expect([mute.status, mute.screen.includes("--yes")]).toEqual([5, true]);
    },
    30_000,
  );

  test.runIf(hasTerminals)(
    "draws a live tree in a terminal, says how it ended, and gives the cursor back",
    async () => {
      const { status, screen } = await inTerminal([...UPGRADE, "--output", "live"], {
        cwd: place.dir,
        env: { ...place.env, CI: "1" },
        keys: "y\n",
      });
      expect(status, screen.slice(-3_000)).toBe(0);
      expect(screen).toContain("promoted");
      expect(screen).toContain("roll gateway");
      expect(screen.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(screen.lastIndexOf(`${ESCAPE}[?25l`));
    },
    90_000,
  );

  test.runIf(hasTerminals)(
    "writes lines in a terminal without a width, and in one of a CI system",
    async () => {
      const newest = JSON.parse(
        (await midflight(["status", "--json", "--state", "plans/.midflight"], { cwd: place.dir, env: place.env }))
          .stdout,
      ) as { readonly run: string };
      const { status, screen } = await inTerminal(["rollback", newest.run, "--state", "plans/.midflight"], {
        cwd: place.dir,
        env: place.env,
        columns: 0,
      });
      expect(status, screen).toBe(1);
      expect(screen).toMatch(/\d\dZ tripped/);
      const again = await inTerminal([...UPGRADE, "--yes", "--state", "elsewhere"], {
        cwd: place.dir,
        env: { ...place.env, CI: "true" },
      });
      expect(again.screen).toMatch(/\d\dZ run-opened/);
      expect(again.screen).not.toContain(`${ESCAPE}[?25l`);
    },
    90_000,
  );

  test("writes lines without colour into a file", async () => {
    const file = join(place.dir, "out.txt");
    const out = openSync(file, "w");
    const { status } = spawnSync(process.execPath, [midflightBinary(), "status", "--state", "plans/.midflight"], {
      cwd: place.dir,
      stdio: ["ignore", out, "ignore"],
    });
    closeSync(out);
    expect(status).toBe(0);
    expect(readFileSync(file, "utf8")).not.toContain(ESCAPE);
  });
});
