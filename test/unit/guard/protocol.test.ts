import { describe, expect, test } from "vitest";
import { seriesBy } from "../../../src/adapters/guard-thread/counters.ts";
import type { Count } from "../../../src/guard/count.ts";
import { explain } from "../../../src/guard/explain.ts";
import { foldProof, standingOfProof, startProof, type ProofCount } from "../../../src/guard/proof-judge.ts";
import { cohortOver, protocolOf, shardOf } from "../../../src/guard/protocol.ts";
import { OKX_V5 } from "../../../src/guard/rules-okx.ts";
import { VENUE_OPERATIONS } from "../../../src/plan/operations-of.ts";

const count = (over: Partial<Count> = {}): Count => ({
  operation: "order",
  region: "tokyo",
  release: "gateway@2.1",
  side: "new",
  cohort: "shard-1",
  source: "probes",
  issued: 10,
  failed: 0,
  ...over,
});
const shards = (make: (cohort: string) => readonly Count[]): readonly Count[] =>
  Array.from({ length: 10 }, (_, shard) => make(`shard-${shard}`)).flat();

test("whoever trades over WebSocket is a cohort beside the one of REST", () => {
  expect(cohortOver("REST", "shard-3")).toBe("shard-3");
  const cohort = cohortOver("WebSocket", "shard-3");
  expect([protocolOf(cohort), shardOf(cohort)]).toEqual(["WebSocket", "shard-3"]);
  expect([protocolOf("shard-3"), shardOf("shard-3")]).toEqual(["REST", "shard-3"]);
});

test("counters that tell the protocol are counted by it", () => {
  const seriesOf = seriesBy({ rules: OKX_V5, operations: VENUE_OPERATIONS });
  const labels = (protocol: string): string =>
    `operation="order",code="0",http="200",cohort="shard-3",protocol="${protocol}"`;
  expect(seriesOf(labels("rest"))?.cohort).toBe("shard-3");
  expect(seriesOf(labels("ws"))?.cohort).toBe("shard-3/ws");
});

describe("a sentence", () => {
  const old = (cohort: string) => count({ cohort, side: "old", release: "gateway@2.0" });

  test("names the protocol when all failures are over it, and compares with the same one", () => {
    const judged = shards((cohort) => [
      count({ cohort }),
      count({ cohort: `${cohort}/ws`, issued: 4, failed: 4, codes: { "64007": 4 } }),
    ]);
    const control = shards((cohort) => [old(cohort), { ...old(`${cohort}/ws`), issued: 5 }]);
    expect(explain({ judged, control, when: "" })).toBe(
      "order over WebSocket in tokyo on gateway@2.1: 40 of 40 failed (64007), 0 of 50 on gateway@2.0",
    );
  });

  test("names it also when a part of the operations over it fails", () => {
    const judged = shards((cohort) => [
      count({ cohort, issued: 20 }),
      count({ cohort: `${cohort}/ws`, issued: 20, failed: 2, codes: { "51149": 2 } }),
    ]);
    expect(explain({ judged, control: [], when: "" })).toBe(
      "order over WebSocket in tokyo on gateway@2.1: 20 of 200 failed (51149)",
    );
  });

  test("does not name it for a few failures that luck could put on one side", () => {
    const judged = shards((cohort) => [count({ cohort }), count({ cohort: `${cohort}/ws` })]).map((one, index) =>
      index % 4 === 1 ? { ...one, failed: 1, codes: { "50026": 1 } } : one,
    );
    expect(explain({ judged, control: [], when: "" })).toBe("order in tokyo on gateway@2.1: 5 of 200 failed (50026)");
  });

  test.each([
    {
      rest: { failed: 0, issued: 5 },
      socket: { failed: 3, issued: 5 },
      named: "WebSocket",
      why: "three fifths fail, and five of the others are well",
    },
    {
      rest: { failed: 3, issued: 5 },
      socket: { failed: 0, issued: 5 },
      named: "REST",
      why: "either protocol may be the one",
    },
    {
      rest: { failed: 1, issued: 10 },
      socket: { failed: 6, issued: 10 },
      named: "WebSocket",
      why: "a tenth may fail of the others",
    },
    {
      rest: { failed: 2, issued: 10 },
      socket: { failed: 6, issued: 10 },
      named: "no protocol",
      why: "a fifth may not",
    },
    {
      rest: { failed: 0, issued: 50 },
      socket: { failed: 2, issued: 2 },
      named: "no protocol",
      why: "two failures are few",
    },
    {
      rest: { failed: 0, issued: 4 },
      socket: { failed: 3, issued: 3 },
      named: "no protocol",
      why: "four others are few",
    },
    {
      rest: { failed: 0, issued: 28 },
      socket: { failed: 14, issued: 28 },
      named: "WebSocket",
      why: "seven of the others should have failed",
    },
    {
      rest: { failed: 0, issued: 26 },
      socket: { failed: 13, issued: 26 },
      named: "no protocol",
      why: "fewer than that say nothing",
    },
    {
      rest: { failed: 1, issued: 40 },
      socket: { failed: 19, issued: 40 },
      named: "WebSocket",
      why: "a tenth of what should have failed did",
    },
    {
      rest: { failed: 2, issued: 40 },
      socket: { failed: 19, issued: 40 },
      named: "no protocol",
      why: "more than that did",
    },
  ])("names $named, because $why", ({ rest, socket, named }) => {
    const judged = [count(rest), count({ ...socket, cohort: "shard-1/ws" })];
    expect(/ over (\w+)/.exec(explain({ judged, control: [], when: "" }))?.[1] ?? "no protocol").toBe(named);
  });

  test("names a cohort that fails over both by its own name, once", () => {
    const judged = shards((cohort) =>
      [cohort, `${cohort}/ws`].map((name) =>
        count({ cohort: name, ...(cohort === "shard-3" ? { failed: 10, codes: { "50026": 10 } } : {}) }),
      ),
    );
    expect(explain({ judged, control: [], when: "" })).toBe("shard-3: order fails (20 of 20, 50026)");
  });
});

describe("a proof where WebSocket is offered", () => {
  const begin = () =>
    startProof(["tokyo-7"], ["order"], {
      need: { excludePct: 5, confidencePct: 99 },
      baselinePct: 0.1,
      isSocketWanted: true,
    });
  const outcomes = (cohort: string, issued: number, failed = 0): ProofCount => ({
    instance: "tokyo-7",
    release: "gateway@2.1",
    operation: "order",
    cohort,
    issued,
    failed,
    ...(failed > 0 ? { codes: { refused: failed } } : {}),
  });
  const fold = (...bins: readonly (readonly ProofCount[])[]) =>
    bins.reduce(
      (state, counts, index) => foldProof(state, { from: index * 100, to: index * 100 + 100, counts }),
      begin(),
    );

  test("is not given by REST alone, and says what is missing", () => {
    const rest = outcomes("shard-1", 500);
    expect(standingOfProof(fold([rest]))).toEqual({
      kind: "open",
      outcomes: 500,
      missing: "order over WebSocket on tokyo-7: 0 of 0 failed, too few to exclude 50 % with 99 %",
    });
    expect(standingOfProof(fold([rest, outcomes("shard-1/ws", 7)])).kind).toBe("proved");
  });

  test("is refuted when WebSocket fails while REST is well, and says so", () => {
    const bins = Array.from({ length: 12 }, () => [outcomes("shard-1", 5), outcomes("shard-2/ws", 1, 1)]);
    expect(standingOfProof(fold(...bins))).toMatchObject({
      kind: "refuted",
      reason: "order over WebSocket on tokyo-7 (gateway@2.1): 12 of 12 failed, mostly refused",
    });
  });

  test.each([
    {
      rest: { failed: 0, issued: 8 },
      socket: { failed: 3, issued: 5 },
      told: "order over WebSocket",
      why: "three fifths fail, and nothing of eight others",
    },
    { rest: { failed: 0, issued: 8 }, socket: { failed: 2, issued: 2 }, told: "order", why: "two failures are few" },
    { rest: { failed: 1, issued: 20 }, socket: { failed: 5, issued: 5 }, told: "order", why: "another failed too" },
    { rest: { failed: 0, issued: 8 }, socket: { failed: 3, issued: 6 }, told: "order", why: "half is no outage" },
    { rest: { failed: 0, issued: 7 }, socket: { failed: 3, issued: 3 }, told: "order", why: "seven others are few" },
  ])("is refuted by $told, because $why, whatever other instances do", ({ rest, socket, told }) => {
    const other = { ...outcomes("shard-1", 10, 1), instance: "tokyo-8" };
    const counts = [
      outcomes("shard-1", rest.issued, rest.failed),
      outcomes("shard-2/ws", socket.issued, socket.failed),
      other,
    ];
    const fresh = startProof(["tokyo-7", "tokyo-8"], ["order"], { need: begin().need, baselinePct: 0.1 });
    const folded = foldProof(fresh, { from: 0, to: 100, counts });
    const certain = { mixture: [1e9], restUntil: -Infinity };
    expect(standingOfProof({ ...folded, streams: { "operation tokyo-7 order": certain } })).toMatchObject({
      kind: "refuted",
      reason: expect.stringMatching(new RegExp(`^${told} on tokyo-7 `)) as string,
    });
  });
});
