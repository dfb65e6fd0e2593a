import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { midflight, OVERRIDE, start, type Ended } from "../support/cli.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const STATE = ["--state", "plans/.midflight"];
const UPGRADE = ["upgrade", "plans/small.yaml", "--env", "plans/production.yaml", ...OVERRIDE];
const OLD = { tokyo: ["gateway@1.0 100", "gateway@1.0 100"], frankfurt: ["gateway@1.0 100", "gateway@1.0 100"] };
const NEW = { tokyo: ["gateway@2.0 100", "gateway@2.0 100"], frankfurt: ["gateway@2.0 100", "gateway@2.0 100"] };

let place: SmallVenue;
beforeAll(async () => {
  place = await startSmallVenue({ name: "crash" });
}, 60_000);
afterAll(async () => {
  await place?.stop();
}, 30_000);

const call = (args: readonly string[]): Promise<Ended> =>
  midflight(args, { cwd: place.dir, env: place.env, limitMs: 90_000 });
const begin = (args: readonly string[]) => start(args, { cwd: place.dir, env: place.env, limitMs: 90_000 });
const statusOf = async (run?: string) =>
  JSON.parse((await call(["status", ...(run === undefined ? [] : [run]), "--json", ...STATE])).stdout) as {
    readonly run: string;
    readonly state: string;
    readonly held: readonly unknown[];
  };
const counts = async () =>
  Promise.all(["tokyo", "frankfurt"].map(async (region) => (await place.estate.pids(region)).length));

/** Starts `args` and kills the conductor the moment it says `moment`. */
async function killedAt(args: readonly string[], moment: RegExp): Promise<void> {
  const conductor = begin(args);
  await conductor.says(moment, 60_000);
  process.kill(conductor.pid, "SIGKILL");
  expect((await conductor.ended).signal).toBe("SIGKILL");
}

async function takenBack(run: string): Promise<void> {
  const back = await call(["rollback", run, ...STATE]);
  expect(back.status, back.stdout + back.stderr).toBe(1);
  expect(await place.serving()).toEqual(OLD);
  expect(await counts()).toEqual([2, 2]);
}

// helm#8675: an upgrade that was killed left the release pending, and only surgery helped.
describe("a conductor that is killed", () => {
  test.each([
    ["while new instances start", /move-started +start/],
    ["while they are proved in the dark", /move-started +prove/],
    ["while they are given the traffic", /move-started +admit/],
    ["while the old ones leave", /move-started +retire/],
  ])(
    "%s leaves a run that resume brings to its end, without an instance too many or too few",
    async (_when, moment) => {
      await killedAt(UPGRADE, moment);
      const halted = await statusOf();
      expect(halted.state).toBe("moving");
      expect(halted.held).toEqual([]);
      const text = await call(["status", ...STATE]);
      expect(text.stdout).toContain("no conductor is at work");
      expect(text.stderr).toContain(`midflight resume ${halted.run}`);
      const resumed = await call(["resume", ...STATE]);
      expect(resumed.status, resumed.stdout + resumed.stderr).toBe(0);
      expect(await place.serving()).toEqual(NEW);
      expect(await counts()).toEqual([2, 2]);
      await takenBack(halted.run);
    },
    90_000,
  );

  test("in the middle of an undo goes on undoing when it is resumed", async () => {
    const promoted = await call(UPGRADE);
    expect(promoted.status, promoted.stdout + promoted.stderr).toBe(0);
    const { run } = await statusOf();
    await killedAt(["rollback", run, ...STATE], /the old release takes the traffic/);
    const resumed = await call(["resume", ...STATE]);
    expect(resumed.status, resumed.stdout + resumed.stderr).toBe(1);
    expect(await place.serving()).toEqual(OLD);
    expect(await counts()).toEqual([2, 2]);
    const done = await call(["rollback", run, ...STATE]);
    expect([done.status, done.stderr.includes("RUN_OVER")]).toEqual([5, true]);
  }, 90_000);

  test("costs users no order", async () => {
    const { lost, stateWrong } = await place.users.stop();
    expect({ lost, stateWrong }).toEqual({ lost: 0, stateWrong: 0 });
  }, 40_000);
});
