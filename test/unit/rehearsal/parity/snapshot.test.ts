import fc from "fast-check";
import { expect, test } from "vitest";
import type { EnvironmentFact } from "../../../../src/ports/facts.ts";
import { compare } from "../../../../src/rehearsal/parity/compare.ts";
import { isSnapshot, readSnapshot, snapshotOf } from "../../../../src/rehearsal/parity/snapshot.ts";
import { fact, production, someFacts } from "./facts.ts";

const AT = Date.UTC(2026, 10, 21, 11, 40, 55, 947);
const written = (...facts: readonly EnvironmentFact[]) =>
  JSON.stringify(snapshotOf(production(...facts), AT, "0.1.0"), undefined, 2);

test("what is written is read back as it was, and is then alike", () => {
  fc.assert(
    fc.property(someFacts, (facts) => {
      const text = written(...facts);
      expect(isSnapshot(text)).toBe(true);
      const side = readSnapshot(text, "s.json");
      expect([side.name, side.class, side.takenAt]).toEqual(["production", "production", AT]);
      expect(compare(production(...facts), side, [], AT).differences).toEqual([]);
    }),
  );
});

test("no row is written, only how many there are and their digest", () => {
  const text = written(
    fact("db/reference/fees", "by tier", { group: "reference" }),
    fact("db/reference/fees/vip", { fee: "0.0001" }, { group: "reference" }),
  );
  expect(text).not.toContain("vip");
  expect(text).not.toContain("0.0001");
  expect(JSON.parse(text)).toMatchObject({ facts: [{ id: "db/reference/fees", value: { by: "by tier", rows: "1" } }] });
});

test.each([
  ["", false],
  ["environment: x", false],
  ['{"environment": "x", "class": "demo"}', false],
  ['{"midflight": 1, "kind": "snapshot"}', true],
])("%j is a snapshot: %s", (text, is) => {
  expect(isSnapshot(text)).toBe(is);
});

test.each([
  ["no JSON", (text: string) => text.slice(0, -4), /no JSON/],
  ["a field that nobody knows", (text: string) => text.replace('"version"', '"extra": 1, "version"'), /extra/],
  ["a fact of no kind", (text: string) => text.replace('"schema"', '"nonsense"'), /facts.0.group/],
  ["a fact that is told twice", (text: string) => text.replaceAll("db/schema/u", "db/schema/t"), /twice/],
  ["a time that is none", (text: string) => text.replace(/2026[^"]*/, "yesterday"), /takenAt/],
])("%s is refused, and what is wrong is said", (_, change, says) => {
  const text = written(fact("db/schema/t", "1"), fact("db/schema/u", "1"));
  expect(() => readSnapshot(change(text), "s.json")).toThrow(says);
});
