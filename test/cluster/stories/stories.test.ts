import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FENCE } from "../../../src/adapters/kubernetes/hold.ts";
import type { Deployment } from "../../../src/adapters/kubernetes/api/objects.ts";
import { badReleaseDark } from "../../../src/demo/stories/bad-release-dark.ts";
import { badReleaseLive } from "../../../src/demo/stories/bad-release-live.ts";
import { goodUpgrade } from "../../../src/demo/stories/good-upgrade.ts";
import { metadata2023 } from "../../../src/demo/stories/metadata-2023.ts";
import { rehearsal2023 } from "../../../src/demo/stories/rehearsal-2023.ts";
import { servers2021 } from "../../../src/demo/stories/servers-2021.ts";
import type { Story } from "../../../src/demo/stories/story.ts";
import { VENUE_REGIONS } from "../../../src/demo/venue/ports.ts";
import type { Version } from "../venue/images.ts";
import { refuseOn } from "../venue/refuse.ts";
import { INSTANCES, tellOn, type Told } from "../venue/tell.ts";
import { deploymentPath, findVenueGround, type VenueGround } from "../venue/venue.ts";

/** The demo's stories with the gateways in pods: the same plans and users, and another environment file. */
let ground: VenueGround;
beforeAll(async () => {
  ground = await findVenueGround();
}, 300_000);
afterAll(() => ground?.api.close());

// A machine that stands still for a quarter of a second fails users all by itself; then the story is told once more.
const HOW = { timeout: 600_000, retry: 1 };

/** What each region's Deployment was when the story was over. */
let left: readonly Deployment[];
beforeEach(() => {
  left = [];
});

const tell = (story: Story, seed = "1"): Promise<Told> =>
  tellOn(ground, story, {
    seed,
    ratePerSec: 80,
    look: lookAtProduction,
  });

async function lookAtProduction(): Promise<void> {
  left = await Promise.all(
    VENUE_REGIONS.map(async (region) => (await ground.api.call("GET", deploymentPath(region))) as Deployment),
  );
}

/** Every region runs this release, and nothing of a hold is left but who wrote last, where anybody did. */
function expectAtRest(version: Version): void {
  expect(left).toHaveLength(VENUE_REGIONS.length);
  for (const { metadata, spec, status } of left) {
    expect(spec.template.spec.containers.map(({ image }) => image)).toEqual([ground.images[version]]);
    expect([spec.minReadySeconds ?? 0, spec.replicas, status?.updatedReplicas]).toEqual([0, INSTANCES, INSTANCES]);
    const names = Object.keys(metadata.annotations ?? {}).filter((name) => name.startsWith("midflight"));
    expect(names.filter((name) => name !== FENCE)).toEqual([]);
  }
}

test("good-upgrade: every pod is replaced and the metadata contracts, and no user notices", HOW, async () => {
  const { figures, problems } = await tell(goodUpgrade);
  expect(problems).toEqual([]);
  expect(figures).toMatchObject({ outcome: "promoted", failed: 0, lost: 0, tripMs: null });
  expect(figures.operations).toBeGreaterThan(2_000);
  expectAtRest("2.0");
});

test("metadata-2023: what breaks some accounts is taken back, and no pod was touched by it", HOW, async () => {
  const { figures, problems } = await tell(metadata2023);
  expect(problems).toEqual([]);
  expect(figures).toMatchObject({ outcome: "undone", lost: 0, rowsLost: 0 });
  expect(figures.failedByFault).toBeGreaterThan(0);
  for (const { spec } of left)
    expect(spec.template.spec.containers.map(({ image }) => image)).toEqual([ground.images["1.0"]]);
});

test("rehearsal-2023: demo, in pods too, refuses the same update before production hears of it", HOW, async () => {
  const { status, problems, result } = await refuseOn(ground, rehearsal2023, { seed: "1", look: lookAtProduction });
  expect(problems, result.verdict).toEqual([]);
  expect(status).toBe(5);
  for (const { metadata } of left)
    expect([metadata.generation, Object.keys(metadata.annotations ?? {})]).toEqual([
      1,
      [expect.stringContaining("deployment.kubernetes.io/revision")],
    ]);
});

test("bad-release-dark: what probes can see reaches no user", HOW, async () => {
  const { figures, problems } = await tell(badReleaseDark);
  expect(problems).toEqual([]);
  expect(figures).toMatchObject({ outcome: "undone", failedByFault: 0, lost: 0 });
  expectAtRest("1.0");
});

test("bad-release-live: what only users' traffic shows is withdrawn and undone", HOW, async () => {
  const { figures, problems } = await tell(badReleaseLive);
  expect(problems).toEqual([]);
  expect(figures).toMatchObject({ outcome: "undone", lost: 0 });
  expect(figures.failedByFault).toBeGreaterThan(0);
  expectAtRest("1.0");
});

test(
  "servers-2021: a region's servers die in the middle, the run holds, and goes on when they are back",
  HOW,
  async () => {
    // By this seed the region that dies is all new: nothing old is left there to compare with.
    const { figures, problems } = await tell(servers2021, "8");
    expect(problems).toEqual([]);
    expect(figures).toMatchObject({ outcome: "promoted", lost: 0 });
    expect(figures.failedByFault).toBeGreaterThan(0);
    expectAtRest("2.0");
  },
);
