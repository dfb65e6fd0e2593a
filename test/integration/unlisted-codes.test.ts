import { afterEach, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import { eventually, watchedVenue, type WatchedVenue } from "../fakes/watched-venue.ts";

let venue: WatchedVenue | undefined;
afterEach(async () => {
  await venue?.close();
  venue = undefined;
});

test("a code that no rule names is told once, with how often users and probes had it and what it was taken for", async () => {
  const world = await watchedVenue(guardThread(), [{ region: "tokyo", old: 2, usersPerSec: 100 }]);
  venue = world;
  await world.start();
  await world.until("healthy");
  expect(world.pulses.at(-1)?.unlisted).toBeUndefined();
  world.server("tokyo").fault([{ operation: "amend", share: 1 / 4, how: { code: "51999", http: 200 } }]);
  const unlisted = await eventually(
    () => world.pulses.at(-1)?.unlisted?.find(({ live, probes }) => live > 0 && probes > 0),
    10_000,
    () => JSON.stringify(world.pulses.at(-1)),
  );
  expect(unlisted).toMatchObject({ rules: "okx-v5", code: "51999", outcome: "business" });
  expect(world.pulses.at(-1)?.unlisted).toHaveLength(1);
  // A refusal on its merits is no failure.
  expect(world.pulses.at(-1)?.failed).toBe(0);
});
