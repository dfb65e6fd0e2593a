import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { midflight } from "../support/cli.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

let place: SmallVenue;
beforeAll(async () => {
  place = await startSmallVenue({ name: "sources" });
}, 120_000);
afterAll(async () => {
  await place?.stop();
}, 30_000);

/** Prints ten bins a second for as long as it runs. */
const COUNTS = `setInterval(() => {
  for (const region of ["tokyo", "frankfurt"])
    for (const operation of ["order", "amend", "cancel"]) console.log(JSON.stringify({ operation, region, count: 20 }));
  console.log("{}");
}, 100);`;

test("a run sees users through the sources of its environment, keeps what they told, and is refused where they overlap", async () => {
  writeFileSync(join(place.dir, "count.mjs"), COUNTS);
  const text = readFileSync(place.environment, "utf8");
  const sources = "sources:\n  - command: [node, count.mjs]\n";
  const file = (name: string, content: string): string => {
    const path = join(dirname(place.environment), `${name}.yaml`);
    writeFileSync(path, content);
    return path;
  };
  const upgrade = (environment: string) =>
    midflight(
      [
        "upgrade",
        "plans/small.yaml",
        "--env",
        environment,
        "--yes",
        "--json",
        "--without-certificate",
        "--because",
        "a test",
      ],
      { cwd: place.dir, env: place.env, limitMs: 150_000 },
    );
  const twice = await upgrade(file("twice", `${text}${sources}`));
  expect([twice.status, twice.stderr.includes("SOURCES_OVERLAP")]).toEqual([3, true]);
  const missing = file("missing", `${text.replace(/^ *counters:.*\n/m, "")}${sources.replace("count.mjs", "no.mjs")}`);
  const absent = await upgrade(missing);
  expect([absent.status, absent.stderr.includes("there is no file no.mjs")]).toEqual([3, true]);

  const upgraded = await upgrade(file("sourced", `${text.replace(/^ *counters:.*\n/m, "")}${sources}`));
  expect([upgraded.status, upgraded.stderr]).toEqual([0, ""]);
  const run = /"run":"([^"]+)"/.exec(upgraded.stdout)?.[1] ?? "";
  const told = readFileSync(join(place.state, "runs", run, "guard.ndjson"), "utf8");
  expect(told).toMatch(/"kind":"sight".*"source":"sources\[0\]"/);
  expect(told).toMatch(/"kind":"bin".*"source":"live"/);
  const again = await midflight(["guard", "--replay", join(place.state, "runs", run, "guard.ndjson")], {
    cwd: place.dir,
    env: place.env,
    limitMs: 60_000,
  });
  expect([again.status, again.stdout.includes("nothing was held against anybody")]).toEqual([0, true]);
}, 300_000);
