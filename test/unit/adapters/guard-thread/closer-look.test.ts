import { describe, expect, test } from "vitest";
import { closerLook } from "../../../../src/adapters/guard-thread/closer-look.ts";
import type { Count } from "../../../../src/guard/count.ts";

const count = (side: Count["side"], issued: number, failed: number, isExposed = true): Count => ({
  operation: "order",
  region: "tokyo",
  release: side,
  side,
  cohort: "c",
  source: "live",
  issued,
  failed,
  isExposed,
});
const USUAL_MS = 100;
const BAD = [count("new", 25, 25), count("old", 25, 0)];

describe("counters are read ten times a second", () => {
  test.each([
    { name: "while nothing fails", counts: [count("new", 25, 0), count("old", 25, 0)] },
    { name: "while single operations fail", counts: [count("new", 25, 2), count("old", 25, 0)] },
    { name: "while few of many fail", counts: [count("new", 100, 10), count("old", 25, 0)] },
    { name: "while old instances fail", counts: [count("new", 25, 0), count("old", 25, 25)] },
    { name: "where no old instance is left to compare with", counts: [count("new", 25, 25)] },
    { name: "where users do not reach the new ones", counts: [count("new", 25, 25, false), count("old", 25, 0)] },
  ])("$name", ({ counts }) => {
    const look = closerLook();
    look.note(counts, 0);
    expect(look.pace(1).everyMs).toBe(USUAL_MS);
  });
});

describe("a closer look", () => {
  test("is taken where new instances fail beside old ones, and ends half a second after the last such bin", () => {
    const look = closerLook();
    look.note(BAD, 0);
    expect(look.pace(1).everyMs).toBeLessThanOrEqual(25);
    look.note(BAD, 300);
    expect(look.pace(799).everyMs).toBeLessThanOrEqual(25);
    expect(look.pace(800).everyMs).toBe(USUAL_MS);
  });

  test("never goes on for more than three seconds of thirty, however long they fail", () => {
    const look = closerLook();
    let closeMs = 0;
    for (let now = 0; now < 300_000; now += 20) {
      if (look.pace(now).everyMs < USUAL_MS) closeMs += 20;
      look.note(BAD, now);
    }
    expect(closeMs).toBeGreaterThan(25_000);
    expect(closeMs).toBeLessThanOrEqual(30_000);
  });
});
