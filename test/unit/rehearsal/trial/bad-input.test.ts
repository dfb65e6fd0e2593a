import { describe, expect, test } from "vitest";
import type { StoreIdentity } from "../../../../src/ports/trials.ts";
import { assertNotSame } from "../../../../src/rehearsal/trial/assert-not-same.ts";
import { readStatements } from "../../../../src/rehearsal/trial/read-statements.ts";

const demo: StoreIdentity = {
  place: "demo:5432/orders",
  system: "7",
  startedAt: "2026-01-01T00:00:00Z",
  database: "16384",
  isStandby: false,
};

describe("a rehearsal on production's store", () => {
  test.each([
    { name: "the same database", production: {}, says: "the very database" },
    { name: "another database of the same server", production: { database: "1" }, says: "on the very server" },
  ])("is refused: $name", ({ production, says }) => {
    expect(() => assertNotSame(demo, { ...demo, ...production, place: "10.0.0.1:5432/orders" })).toThrow(says);
  });

  test.each([
    {
      name: "a restored copy, on a server that was started by itself",
      production: { startedAt: "2025-01-01T00:00:00Z" },
    },
    { name: "another system that happened to start at the same time", production: { system: "8" } },
  ])("is none: $name", ({ production }) => {
    expect(() => assertNotSame(demo, { ...demo, ...production })).not.toThrow();
  });
});

describe("a release's list of statements", () => {
  const one = { name: "a", sql: "select 1", params: "select" };
  test.each([
    { name: "no JSON", text: "{", says: "no JSON" },
    { name: "no list", text: "{}", says: "the whole" },
    { name: "empty", text: "[]", says: "the whole" },
    { name: "a missing field", text: '[{ "name": "a" }]', says: "0.sql" },
    { name: "an unknown field", text: JSON.stringify([{ ...one, parms: "" }]), says: "parms" },
    { name: "a name twice", text: JSON.stringify([one, one]), says: "a is listed twice" },
    { name: "after nobody", text: JSON.stringify([{ ...one, after: ["b"] }]), says: "a comes after b" },
    { name: "after itself", text: JSON.stringify([{ ...one, after: ["a"] }]), says: "a comes after a" },
  ])("is refused with its file and the reason: $name", ({ text, says }) => {
    const read = (): unknown => readStatements(text, "dist/gateway/statements.json");
    expect(read).toThrow(expect.objectContaining({ code: "STATEMENTS_MALFORMED" }));
    expect(read).toThrow(says);
    expect(read).toThrow("dist/gateway/statements.json");
  });

  test("is what it says", () => {
    expect(readStatements(JSON.stringify([one, { ...one, name: "b", after: ["a"] }]), "x")).toEqual([
      one,
      { ...one, name: "b", after: ["a"] },
    ]);
  });
});
