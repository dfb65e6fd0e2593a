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
});
