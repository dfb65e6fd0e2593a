import { beforeEach, expect, test } from "vitest";
import { UpgradeError } from "../../../src/errors/upgrade-error.ts";
import type { Shape, Workload } from "../../../src/ports/workload.ts";
import { conductedOnFakes, type Conducted } from "../../fakes/conducted.ts";
import { fakeMetadataStore, type FakeMetadataStore } from "../../fakes/metadata-store.ts";
import { migrationNamed } from "../../simulation/sim-world.ts";
import { graphOf, INSTANCES, OLD } from "../engine/graph.ts";

// Elsewhere a migration that had run made the automatic rollback dead on arrival: the old release refused to start on the new schema.
let stage: Conducted;
let db: FakeMetadataStore;
beforeEach(async () => {
  stage = await conductedOnFakes(graphOf());
  stage.watcher.say({ state: "healthy" });
  db = fakeMetadataStore();
});

/** The old release starts on the schema alone that it was built for; those of it that run already go on. */
const strict = ({ observe, shape }: Workload): Workload => ({
  observe,
  shape(region, wanted, fence, signal) {
    const present = stage.places.state(region).instances.filter(({ digest }) => digest === OLD.digest).length;
    return oldIn(wanted) > present && db.applied.length > 0
      ? Promise.reject(new UpgradeError("INSTANCE_NOT_READY", "schema 0001, built for 0000", { hint: "read its log" }))
      : shape(region, wanted, fence, signal);
  },
});
/** The guard accuses the new release as soon as no more than `left` old instances are there. */
const accused = ({ observe, shape }: Workload, left: number): Workload => ({
  observe,
  async shape(region, wanted, fence, signal) {
    const state = await shape(region, wanted, fence, signal);
    if (oldIn(wanted) <= left) stage.watcher.say({ state: "failing", reason: "amend fails" });
    return state;
  },
});
const oldIn = ({ releases }: Shape): number => releases.find(({ digest }) => digest === OLD.digest)?.count ?? 0;

const world = (left = INSTANCES - 1) => ({
  workloads: { gateway: { workload: accused(strict(stage.places.workload), left), traffic: stage.places.traffic } },
  metadata: { db: { store: db.open(), migrations: [migrationNamed("0001_expand", "expand")] } },
});
const served = (region: string): number =>
  stage.places.state(region).instances.filter(({ digest, ready, weightPct }) => {
    return digest === OLD.digest && ready && weightPct === 100;
  }).length;

test("an old release that does not start on the new schema gets its schema back first, and then comes back (meho#1607)", async () => {
  const { ended } = await stage.start(world());
  const isBack = (): boolean => db.applied.length === 0 && served("tokyo") === INSTANCES;
  stage.isBroken = () => stage.watcher.verdict().state === "failing";
  await stage.play(ended, () => stage.pager.delivered.length > 0);
  expect(db.applied).toEqual(["0001_expand"]);
  await stage.play(ended, isBack);
  stage.watcher.say({ state: "healthy" });
  await stage.play(ended);
  expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "undone" });
  expect(db.applied).toEqual([]);
  expect([served("tokyo"), served("frankfurt")]).toEqual([INSTANCES, INSTANCES]);
});

test("where users are on the new instances alone, their schema stays: a person is told", async () => {
  const { ended } = await stage.start(world(0));
  stage.isBroken = () => stage.watcher.verdict().state === "failing";
  await stage.play(ended);
  expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "stranded" });
  expect(db.applied).toEqual(["0001_expand"]);
  expect(stage.pager.delivered.at(-1)).toMatchObject({ kind: "stranded", text: expect.stringContaining("0001") });
});

test("a migration that fails stops the upgrade before any instance is touched, and leaves nothing that bars the next one (meho#1607)", async () => {
  const failing = { ...migrationNamed("0001_expand", "expand"), up: "select 1 / 0" };
  const { metadata, workloads } = world();
  const { ended } = await stage.start({ workloads, metadata: { db: { ...metadata.db, migrations: [failing] } } });
  await stage.play(ended);
  expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "undone" });
  expect(db.applied).toEqual([]);
  expect(stage.places.calls.filter(({ fence }) => fence !== undefined && fence.epoch > 0)).toEqual([]);
});
