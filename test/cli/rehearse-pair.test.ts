import { appendFile, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOfFolder } from "../../src/adapters/process/digest.ts";
import { processEstate, type ProcessEstate } from "../../src/adapters/process/estate.ts";
import { midflight, type Ended } from "../support/cli.ts";
import { processPlace, type ProcessPlace } from "../fakes/process-place.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const REGIONS = ["tokyo", "frankfurt"];
const GATEWAY = fileURLToPath(new URL("../../dist/releases/gateway-1.0", import.meta.url));
const PLAN = `midflight: 1
plan: pair
components:
  prices: { release: prices@2.0 }
  gateway: { release: gateway@1.1, needs: [prices] }
steps:
  - roll: prices
    dark: none                  # no operation of a user reaches it directly
    drain: { notice: 100ms, deadline: 2s }
    waves: [{ regions: [tokyo, frankfurt], batch: 1, surge: 1, soak: 500ms }]
  - roll: gateway
    dark: { exclude: 20%, confidence: 95% }
    drain: { notice: 200ms, deadline: 3s }
    waves: [{ regions: [tokyo, frankfurt], batch: 1, surge: 1, soak: 500ms }]
guard:
  operations: [order, amend, cancel]
  baseline: { atMost: 0.2% }
  deadline: 2s                  # how fast this machine is, is not the question here
  slowerThan: 2s
rehearsal: { soak: 1s, validFor: 1h }
`;

let place: SmallVenue;
const cleanups: (() => Promise<unknown>)[] = [];

/** A second component beside the gateways in both environments: real processes behind balancers of their own. Made anew for a second try: the first may have left demo upgraded. */
beforeEach(async () => {
  place = await startSmallVenue({ name: "pair", withDemo: true, instances: 1, batch: 1 });
  cleanups.push(() => place.stop());
  const releases = { "prices@1.0": {}, "prices@2.0": {} };
  const [production, demo] = [await processPlace(releases), await processPlace(releases)];
  cleanups.push(
    () => production.close(),
    () => demo.close(),
  );
  const newer = join(place.dir, "gateway-1.1");
  await cp(GATEWAY, newer, { recursive: true });
  await writeFile(join(newer, "NOTES"), "The same program, released again.\n");
  await appendFile(
    join(place.dir, "plans", "releases.yaml"),
    [
      releaseLine("prices@1.0", production.digest("prices@1.0"), pathOf(production, "prices@1.0"), "main.cjs"),
      releaseLine("prices@2.0", production.digest("prices@2.0"), pathOf(production, "prices@2.0"), "main.cjs"),
      releaseLine("gateway@1.1", await digestOfFolder(newer), newer, "main.js"),
      "",
    ].join("\n"),
  );
  for (const [name, there] of [
    ["production", production],
    ["demo", demo],
  ] as const) {
    await addPrices(join(place.dir, "plans", `${name}.yaml`), there);
    const estate = pricesIn(name, there, production);
    cleanups.push(() => estate.stop());
    await estate.bringUp(REGIONS, { release: "prices@1.0", digest: production.digest("prices@1.0"), count: 1 });
  }
  await writeFile(join(place.dir, "plans", "pair.yaml"), PLAN);
  const made = await call(["keys", "new", "--out", "plans/keys"]);
  if (made.status !== 0) throw new Error(`no keys were made: ${made.stderr}`);
}, 120_000);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
}, 60_000);

const call = (args: readonly string[], limitMs = 60_000): Promise<Ended> =>
  midflight(args, { cwd: place.dir, env: place.env, limitMs });

const pathOf = (there: ProcessPlace, release: string): string => there.options.releases[release]?.path ?? "";

const releaseLine = (name: string, digest: string, path: string, main: string): string =>
  `  ${name}: { process: { digest: "${digest}", path: ${JSON.stringify(path)}, run: [node, ${main}] } }`;

async function addPrices(file: string, there: ProcessPlace): Promise<void> {
  const balancer = REGIONS.map((region) => `${region}: ${there.adminOf(region)}`).join(", ");
  const text = await readFile(file, "utf8");
  await writeFile(
    file,
    text.replace(
      "\ncomponents:\n",
      `\ncomponents:\n  prices: { driver: process, balancer: { ${balancer} }, instances: 1 }\n`,
    ),
  );
}

const pricesIn = (environment: string, there: ProcessPlace, releases: ProcessPlace): ProcessEstate =>
  processEstate({
    ...there.options,
    component: "prices",
    config: { ...there.options.config, instances: 1, isEntry: false, stopDeadlineMs: 500 },
    releases: releases.options.releases,
    stateDir: join(place.state, "processes", environment),
  });

type Drill = { readonly kind: string; readonly name: string; readonly outcome: string; readonly detail: string };

test("every pair of releases that two components pass through is run, and the whole is certified and promoted", async () => {
  const rehearsed = await call(["rehearse", "plans/pair.yaml", "--key", "plans/keys/rehearsal.pem", "--json"], 420_000);
  const summary = JSON.parse(rehearsed.stdout.trimEnd().split("\n").at(-1) ?? "{}") as {
    readonly drills?: readonly Drill[];
  };
  const drills = summary.drills ?? [];
  const failed = drills.filter(({ outcome }) => outcome === "failed");
  expect([rehearsed.status, failed], rehearsed.stderr).toEqual([0, []]);
  expect(drills.filter(({ kind }) => kind === "pair").map(({ name, outcome }) => [name, outcome])).toEqual([
    ["pair gateway@1.0 with prices@1.0", "passed"],
    ["pair gateway@1.0 with prices@2.0", "passed"],
    ["pair gateway@1.1 with prices@2.0", "passed"],
  ]);

  const upgraded = await call(["upgrade", "plans/pair.yaml", "--env", "production", "--yes"], 180_000);
  expect(upgraded.status, upgraded.stdout + upgraded.stderr).toBe(0);
  const NEW = ["gateway@1.1 100"];
  expect(await place.serving()).toEqual({ tokyo: NEW, frankfurt: NEW });
}, 660_000);
