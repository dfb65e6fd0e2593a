import { expect, test } from "vitest";
import type { EnvironmentFact } from "../../../../src/ports/facts.ts";
import { certifiedFacts } from "../../../../src/rehearsal/parity/certified-facts.ts";
import { PRODUCTION } from "../certificate/passed.ts";
import { fact } from "./facts.ts";

const component = Object.keys(PRODUCTION.components)[0] ?? "";
const of = (id: string, more: Partial<EnvironmentFact> = {}) => fact(`${component}/${id}`, "1", more);
const dependsOn = (...facts: readonly EnvironmentFact[]) =>
  certifiedFacts(PRODUCTION, facts).dependsOn.filter((id) => facts.some((one) => one.id === id));

test("a plan depends on what blocks in its own components, on their rows, counts and set-up", () => {
  const facts = [
    of("schema/table/t"),
    of("reference/fees", { group: "reference" }),
    of("tokyo/instances", { group: "instances", severity: "info" }),
    of("tokyo/releases", { group: "releases" }),
    of("env:FEE", { group: "configuration", severity: "warn" }),
  ];
  expect(dependsOn(...facts)).toEqual(facts.map(({ id }) => id));
});

test("a plan does not depend on what comes and goes, on a machine's size or on other components", () => {
  expect(
    dependsOn(
      of("identity", { group: "identity" }),
      of("size/t", { group: "sizes" }),
      of("clock", { group: "clock" }),
      of("tokyo/state", { group: "instances", severity: "warn" }),
      of("setting/shared_buffers", { group: "settings", severity: "info" }),
      fact("somebody-else/schema/t", "1"),
    ),
  ).toEqual([]);
});

test("everything is kept, long texts as digests", () => {
  const { facts } = certifiedFacts(PRODUCTION, [
    of("schema/fn/f", { value: "x".repeat(500) }),
    of("size/t", { group: "sizes" }),
  ]);
  expect(facts.find(({ id }) => id.endsWith("fn/f"))?.value).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(facts.find(({ id }) => id.endsWith("size/t"))?.value).toBe("1");
});

test("a table of many rows is certified as a whole, and a changed row changes it", () => {
  const table = of("reference/fees", { group: "reference", value: "by tier" });
  const rows = (fee: string) =>
    Array.from({ length: 1_001 }, (_, index) =>
      of(`reference/fees/${index}`, { group: "reference", value: { fee: index === 500 ? fee : "1" } }),
    );
  const [one, other] = ["1", "2"].map((fee) => certifiedFacts(PRODUCTION, [table, ...rows(fee)]));
  expect(one?.dependsOn.filter((id) => id.includes("fees"))).toEqual([table.id]);
  expect(one?.facts.find(({ id }) => id === table.id)).not.toEqual(other?.facts.find(({ id }) => id === table.id));
});
