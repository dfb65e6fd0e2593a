import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { metadataOver } from "../../../../src/demo/venue/gateway/metadata-postgres.ts";
import { outcomeOf } from "../../../../src/demo/venue/gateway/operations.ts";
import type { Operations } from "../../../../src/demo/venue/gateway/operations.ts";
import type { Release } from "../../../../src/demo/venue/gateway/release.ts";
import { RELEASE_1_0 } from "../../../../src/demo/venue/gateway/releases/1.0/release.ts";
import { RELEASE_2_0 } from "../../../../src/demo/venue/gateway/releases/2.0/release.ts";
import { readFault as fault21, release21 } from "../../../../src/demo/venue/gateway/releases/2.1/release.ts";
import { readFault as fault22, release22 } from "../../../../src/demo/venue/gateway/releases/2.2/release.ts";
import type { Statement } from "../../../../src/demo/venue/gateway/statements.ts";
import { fakeEngine } from "../../../fakes/engine.ts";

const RELEASES: readonly Release[] = [
  RELEASE_1_0,
  RELEASE_2_0,
  release21(fault21(undefined)),
  release22(fault22(undefined)),
];

type Listed = { readonly name: string; readonly sql: string; readonly params: string };
const listOf = (version: string): readonly Listed[] => {
  const url = new URL(`../../../../src/demo/venue/gateway/releases/${version}/statements.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as readonly Listed[];
};

describe.each(RELEASES)("release $version", ({ version, statements }) => {
  test("lists every statement that it sends, and no other", () => {
    const sent = Object.values(statements).map(({ name, sql }) => ({ name, sql }));
    expect(listOf(version).map(({ name, sql }) => ({ name, sql }))).toEqual(sent);
  });

  test("sends nothing but its statements, whatever it is asked", async () => {
    const sent: unknown[] = [];
    const record = (statement: Statement): Promise<readonly []> => {
      sent.push(statement);
      return Promise.resolve([]);
    };
    const metadata = metadataOver(record, statements, async () => {});
    await Promise.all([
      metadata.account("1"),
      metadata.instruments(),
      metadata.leverage("1"),
      metadata.setLeverage("1", "2"),
    ]);
    expect(new Set(sent)).toEqual(new Set(Object.values(statements)));
  });

  test("brings a query for sample parameters with each statement: one row without columns where it takes none", () => {
    for (const { sql, params } of listOf(version))
      expect(params).toMatch(/\$1/.test(sql) ? /^select .+ from / : /^select$/);
  });
});

test("only 1.0 reads the column that the contract drops, and only 2.x reads the table that the expand adds", () => {
  expect(RELEASES.map(({ statements }) => JSON.stringify(statements).includes("max_deviation_pct"))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(RELEASES.map(({ statements }) => JSON.stringify(statements).includes("price_bands"))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

test("1.0 and 2.0 do what the common code does, and nothing else", () => {
  expect([RELEASE_1_0.refine, RELEASE_2_0.refine]).toEqual([undefined, undefined]);
});

const good: Operations = {
  place: async () => outcomeOf("0", {}),
  amend: async (change) => outcomeOf("0", change),
  cancel: async () => outcomeOf("0", {}),
};
const amendAll = async (release: Release, resting: number, count = 1): Promise<readonly string[]> => {
  const engine = fakeEngine();
  const order = {
    op: "place",
    uid: "1000",
    instId: "BTC-USDT",
    side: "buy",
    ordType: "limit",
    tdMode: "cash",
    px: "1",
    sz: "1",
    clOrdId: "",
    tag: "",
  } as const;
  for (let index = 0; index < resting; index += 1) await engine.request(order, { timeoutMs: 100 });
  const operations = release.refine?.(good, engine) ?? good;
  expect((await operations.place({ ...order })).code).toBe("0");
  expect((await operations.cancel({ uid: "1000", instId: "BTC-USDT", ordId: "1" })).code).toBe("0");
  const codes = [];
  for (let index = 0; index < count; index += 1)
    codes.push((await operations.amend({ uid: "1000", instId: "BTC-USDT", ordId: "1", newSz: "2" })).code);
  return codes;
};

describe("the faults", () => {
  test("2.1 loses its share of amends, and amends only", async () => {
    const luck = [0.1, 0.32, 0.33, 0.9];
    expect(
      await amendAll(
        release21(fault21(undefined), () => luck.shift() ?? 1),
        0,
        4,
      ),
    ).toEqual(["50026", "50026", "0", "0"]);
    expect(await amendAll(release21(fault21('{"amendShare":1}')), 1)).toEqual(["50026"]);
  });

  test.each([
    { resting: 0, code: "0" },
    { resting: 1, code: "0" },
    { resting: 2, code: "0" },
    { resting: 3, code: "50026" },
    { resting: 8, code: "50026" },
  ])("2.2 with $resting resting orders answers an amend with $code", async ({ resting, code }) => {
    expect(
      await amendAll(
        release22(fault22(undefined), () => 0.59),
        resting,
      ),
    ).toEqual([code]);
  });

  test("2.2 spares the share that its fault leaves, and obeys its settings", async () => {
    expect(
      await amendAll(
        release22(fault22(undefined), () => 0.6),
        5,
      ),
    ).toEqual(["0"]);
    expect(await amendAll(release22(fault22('{"restingOrders":1,"share":1}')), 1)).toEqual(["50026"]);
  });
});
