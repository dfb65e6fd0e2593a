import { expect, test } from "vitest";
import { judgedRegions } from "../../../../src/adapters/guard-thread/judged-regions.ts";
import { plainGuard } from "../../../../src/plan/to-plan.ts";
import type { WatchConfig, WatchedSource } from "../../../../src/ports/watcher.ts";

const command = (regions: readonly string[], more: Partial<WatchedSource> = {}): WatchedSource =>
  ({
    kind: "command",
    id: "sources[0]",
    argv: ["count"],
    cwd: ".",
    env: {},
    regions,
    operations: ["order"],
    countsProbes: false,
    silentAfterMs: 5_000,
    ...more,
  }) as WatchedSource;
const config = (more: Partial<WatchConfig> = {}): WatchConfig => ({
  guard: plainGuard(),
  regions: ["tokyo", "frankfurt"].map((region) => ({ region, accounts: [] })),
  orderPrefix: "mf",
  ...more,
});
const PROBED = {
  region: "tokyo",
  probe: {
    kind: "okx",
    rest: "http://127.0.0.1:1",
    accounts: "[]",
    instrument: "BTC-USDT",
    simulatedTrading: true,
  },
  accounts: [{ apiKey: "k", secret: "s", passphrase: "p", cohort: "c" }],
} as const;

test("users are counted where a source tells of them, and everywhere where instances have counters", () => {
  const counted = (more: Partial<WatchConfig>): unknown =>
    judgedRegions(config(more))
      .filter(({ isCounted }) => isCounted === true)
      .map(({ region }) => region);
  expect(counted({})).toEqual([]);
  expect(counted({ sources: [command(["frankfurt"])] })).toEqual(["frankfurt"]);
  expect(counted({ counters: { path: "/metrics", metric: "ops" } })).toEqual(["tokyo", "frankfurt"]);
});

test("a region that only sources tell of is silent after their own time, the longest of several", () => {
  const sources = [command(["tokyo"]), command(["tokyo"], { silentAfterMs: 9_000 })];
  expect(judgedRegions(config({ sources }))).toMatchObject([
    { region: "tokyo", isProbed: false, silentAfterMs: 9_000, countsProbes: false },
    { region: "frankfurt", isProbed: false, isCounted: false },
  ]);
  const [tokyo] = judgedRegions(config({ sources, regions: [PROBED] }));
  expect(tokyo).toEqual({ region: "tokyo", isProbed: true, isCounted: true, countsProbes: false });
});

test("a probe without accounts or cohorts looks at nothing", () => {
  expect(judgedRegions(config({ regions: [{ ...PROBED, accounts: [] }] }))).toMatchObject([{ isProbed: false }]);
  const cohorts = [{ cohort: "eu", values: {} }];
  expect(judgedRegions(config({ regions: [{ ...PROBED, accounts: [], cohorts }] }))).toMatchObject([
    { isProbed: true },
  ]);
});

test("a region that is probed from within is probed, and silent after 2 s: what it says comes over an API server", () => {
  const { accounts: _accounts, ...probed } = PROBED;
  const regions = [{ ...probed, accounts: [], isRemote: true as const }];
  expect(judgedRegions(config({ regions }))).toMatchObject([{ region: "tokyo", isProbed: true, silentAfterMs: 2_000 }]);
});
