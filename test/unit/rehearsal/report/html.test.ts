import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import type { Rehearsal } from "../../../../src/rehearsal/rehearsal.ts";
import { readRehearsal } from "../../../../src/rehearsal/rehearsal.ts";
import { html } from "../../../../src/rehearsal/report/html.ts";
import { summary } from "../../../../src/rehearsal/report/text.ts";

const REHEARSAL: Rehearsal = {
  midflight: 1,
  plan: "p",
  planFingerprint: "sha256:0",
  environments: ["demo", "production"],
  startedAt: 0,
  endedAt: 1,
  isQuick: false,
  scaled: [],
  allows: [{ file: "db/0001_a.up.sql", line: 2, rule: "unbounded-write", reason: "<ten> rows" }],
  drills: [
    {
      name: "on a clone: 0001_a up",
      step: "0001_a",
      kind: "trial",
      outcome: "passed",
      ms: 20,
      detail: "as measured",
      statements: [
        { name: "0001_a 1: alter table t add b int", lock: "AccessExclusiveLock", tables: ["t"], ms: 1, heldMs: 20 },
        { name: "0001_a 2: create table <u> ()", tables: [], ms: 19, heldMs: 19 },
      ],
    },
  ],
  moves: [{ move: "1-migrate", ms: 5 }],
  soak: { askedMs: 0, healthyMs: 0, segments: [], streams: [] },
};
const pageOf = (rehearsal: Rehearsal) => parseHTML(html(rehearsal, "proved")).document;

test("locks are drawn by statement: what kept everybody out, on which table, and for how long", () => {
  const figures = [...pageOf(REHEARSAL).querySelectorAll("figure")].map((figure) => figure.textContent);
  const locks = figures.find((text) => text.includes("alter table t add b int")) ?? "";
  expect(locks).toContain("AccessExclusiveLock on t, 20.0 ms");
  expect(locks).toContain("no lock, 19.0 ms");
  expect(locks).toContain("create table <u> ()");
  const page = html(REHEARSAL, "proved");
  // The legend's words, and a bar in the colour of its level.
  expect(page).toContain("everybody waits");
  expect(page).toMatch(/<rect[^>]*fill="#b3261e"/);
});

test("a longer hold is a longer bar", () => {
  const widthsOf = (heldMs: number) => {
    const [drill] = REHEARSAL.drills;
    const [first, second] = drill?.statements ?? [];
    const page = pageOf({
      ...REHEARSAL,
      drills: [
        {
          ...drill!,
          statements: [
            { ...first!, heldMs },
            { ...second!, heldMs: 100 },
          ],
        },
      ],
    });
    const rects = [...page.querySelectorAll('rect[fill="#b3261e"]')];
    return Math.max(...rects.map((rect) => Number(rect.getAttribute("width"))));
  };
  expect(widthsOf(80)).toBeGreaterThan(widthsOf(20) * 2);
});

test("a rehearsal that tried no migration draws none", () => {
  const page = html({ ...REHEARSAL, drills: [{ ...REHEARSAL.drills[0]!, statements: [] }] }, "proved");
  expect(page).not.toContain("Locks that migrations took");
});

test("what authors allowed is told on the page and in the terminal", () => {
  expect(pageOf(REHEARSAL).body.textContent).toContain("db/0001_a.up.sql:2 allows unbounded-write because <ten> rows");
  expect(html(REHEARSAL, "proved")).not.toContain("<ten>");
  expect(summary(REHEARSAL)).toContain("allowed: db/0001_a.up.sql:2 allows unbounded-write because <ten> rows");
});

test("what was kept is read again as it was; what an earlier version kept, too", () => {
  expect(readRehearsal(JSON.stringify(REHEARSAL))).toEqual(REHEARSAL);
  const { allows: _, ...earlier } = REHEARSAL;
  expect(readRehearsal(JSON.stringify(earlier))).toEqual({ ...REHEARSAL, allows: [] });
});
