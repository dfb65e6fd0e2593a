import { describe, expect, test } from "vitest";
import type { Instance } from "../../../src/guard/loss.ts";
import { foldEvidence, freshEvidence, missingEvidence, nameOf, RECOVERY } from "../../../src/guard/strata.ts";
import { binAt, NEW, OLD, onNew, onOld } from "../../fakes/judged.ts";

const none = { issued: 0, failed: 0, probed: 0 };

describe("evidence of health is gathered", () => {
  test("for each place, and for new instances there by themselves", () => {
    const counts = [onOld({ issued: 5 }), onNew({ issued: 3, failed: 1, source: "probes" })];
    const first = foldEvidence(freshEvidence(0), binAt(1_000, counts), undefined);
    expect(first).toEqual({
      since: 0,
      samples: {
        "order in tokyo": { issued: 8, failed: 1, probed: 3 },
        "order in tokyo on new": { issued: 3, failed: 1, probed: 3 },
      },
    });
    expect(foldEvidence(first, binAt(1_100, counts), undefined).samples["order in tokyo"]).toEqual({
      issued: 16,
      failed: 2,
      probed: 6,
    });
  });

  test("from operations that were issued after it was asked for", () => {
    const evidence = freshEvidence(1_000);
    expect(foldEvidence(evidence, binAt(1_099, [onOld()]), undefined)).toBe(evidence);
    expect(foldEvidence(evidence, binAt(1_100, [onOld()]), undefined).samples["order in tokyo"]?.issued).toBe(10);
  });

  test("not from instances that users do not reach, unless these fail", () => {
    const dark = { isExposed: false };
    const counts = [onNew(dark), onNew({ ...dark, operation: "amend", failed: 2 })];
    expect(Object.keys(foldEvidence(freshEvidence(0), binAt(1_000, counts), undefined).samples)).toEqual([
      "amend in tokyo",
      "amend in tokyo on new",
    ]);
    expect(foldEvidence(freshEvidence(0), binAt(1_000, [onOld({ isExposed: true })]), undefined).samples).toEqual({
      "order in tokyo": { issued: 10, failed: 0, probed: 0 },
    });
  });

  test("from nothing again where failures have eaten it up, and there alone", () => {
    const counts = [onOld({ issued: 20, failed: 1 }), onOld({ operation: "amend", issued: 50, failed: 1 })];
    const folded = foldEvidence(freshEvidence(0), binAt(1_000, counts), { baselinePct: 0.1 });
    expect(folded.samples).toEqual({
      "order in tokyo": none,
      "amend in tokyo": { issued: 50, failed: 1, probed: 0 },
    });
  });
});

describe("what is missing", () => {
  const clean = { issued: 45, failed: 0, probed: 1 };
  const missing = (
    samples: Readonly<Record<string, typeof clean>>,
    instances: readonly Instance[] = [],
    probed: readonly string[] = ["tokyo"],
  ): string | undefined =>
    missingEvidence({ since: 0, samples }, [{ operation: "order", region: "tokyo" }], instances, {
      need: RECOVERY,
      baselinePct: 0.1,
      probed,
    });

  test("is nothing once 45 outcomes without a failure, one of a probe among them, exclude a rate of 10 %", () => {
    expect(missing({ "order in tokyo": clean })).toBeUndefined();
    expect(missing({ "order in tokyo": { ...clean, issued: 44 } })).toBe("order in tokyo (0 of 44 failed since)");
  });

  test("are outcomes of probes, where there are probes", () => {
    expect(missing({ "order in tokyo": { ...clean, probed: 0 } })).toBe("order in tokyo (0 of 45 failed since)");
    expect(missing({ "order in tokyo": { ...clean, probed: 0 } }, [], [])).toBeUndefined();
    expect(missing({ "order in tokyo": { ...clean, issued: 44 } }, [], [])).toBe(
      "order in tokyo (0 of 44 failed since)",
    );
  });

  test("are outcomes on new instances that serve there", () => {
    const samples = { "order in tokyo": clean };
    expect(missing(samples, [NEW])).toBe("order in tokyo on new instances (0 of 0 failed since)");
    expect(missing({ ...samples, "order in tokyo on new": { ...clean, failed: 1 } }, [NEW])).toBe(
      "order in tokyo on new instances (1 of 45 failed since)",
    );
    expect(missing({ ...samples, "order in tokyo on new": clean }, [NEW])).toBeUndefined();
    expect(missing(samples, [OLD])).toBeUndefined();
    expect(missing(samples, [{ ...NEW, inTraffic: false }])).toBeUndefined();
    expect(missing(samples, [{ ...NEW, region: "frankfurt" }])).toBeUndefined();
  });

  test("is everything where nothing was seen, and where nothing is watched", () => {
    expect(missing({})).toBe("order in tokyo (0 of 0 failed since)");
    const how = { need: RECOVERY, baselinePct: 0.1, probed: [] };
    expect(missingEvidence(freshEvidence(0), [], [], how)).toBe("no stratum to watch");
  });

  test("has the name of its place", () => {
    expect(nameOf({ operation: "amend", region: "frankfurt" })).toBe("amend in frankfurt");
  });
});
