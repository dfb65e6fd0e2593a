import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { certifiedFiles } from "../../../../src/rehearsal/certificate/certify.ts";
import {
  changedFacts,
  objectionsTo,
  type FactsOfNow,
  type Intended,
} from "../../../../src/rehearsal/certificate/objections.ts";
import type { RehearsalPredicate } from "../../../../src/rehearsal/certificate/statement.ts";
import { planFingerprint } from "../../../../src/graph/fingerprint.ts";
import { sha256 } from "../../../../src/cli/files/sha256.ts";
import { FACTS, FILES, INTENDED, NOW, PRODUCTION, STATEMENT } from "./passed.ts";

const ABOUT = STATEMENT.predicate;
const about = (more: Partial<RehearsalPredicate>): RehearsalPredicate => ({ ...ABOUT, ...more });
const texts = (predicate: RehearsalPredicate, intended: Partial<Intended> = {}, now = NOW): readonly string[] =>
  objectionsTo(predicate, { ...INTENDED, ...intended }, now).map(({ code, text }) => `${code} ${text}`);
const withFiles = (files: typeof FILES): Partial<Intended> => ({
  planFingerprint: planFingerprint(files, sha256),
  files: certifiedFiles(files),
});

test("nothing speaks against a certificate for exactly this", () => {
  expect(texts(ABOUT)).toEqual([]);
  expect(changedFacts(ABOUT, { facts: FACTS, dependsOn: ABOUT.dependsOn })).toEqual([]);
});

test("a changed byte in plan, releases or a migration is refused, and the file is named", () => {
  const changed = fc.property(fc.nat(FILES.length - 1), fc.nat(), fc.integer({ min: 1, max: 127 }), (which, at, by) => {
    const files = FILES.map(({ name, text }, index) => {
      if (index !== which) return { name, text };
      const bytes = Buffer.from(text);
      const place = at % bytes.length;
      bytes[place] = (bytes[place] ?? 0) ^ by;
      return { name, text: bytes.toString("latin1") };
    });
    expect(texts(ABOUT, withFiles(files))).toEqual([
      `CERTIFICATE_MISMATCH ${FILES[which]?.name ?? ""} changed since the rehearsal`,
    ]);
  });
  fc.assert(changed, { numRuns: 1_000 });
});

describe("a certificate is refused, and the reason is said,", () => {
  const [step] = ABOUT.production.steps;
  const gateway = PRODUCTION.components["gateway"];
  if (step === undefined || gateway?.kind !== "workload") throw new Error("the graph has no step or no gateway");
  const other = `sha256:${"9".repeat(64)}`;
  const rebuilt = {
    ...PRODUCTION,
    components: { ...PRODUCTION.components, gateway: { ...gateway, target: { ...gateway.target, digest: other } } },
  };
  test.each([
    {
      name: "for a file that was added",
      objections: texts(ABOUT, withFiles([...FILES, { name: "migrations/db/0002_y.up.sql", text: "" }])),
      says: [/0002_y.up.sql was added since/],
    },
    {
      name: "for a file that is gone",
      objections: texts(ABOUT, withFiles(FILES.slice(0, 2))),
      says: [/0001_x.up.sql is gone since/],
    },
    {
      name: "for another digest of a release",
      objections: texts(ABOUT, { graph: rebuilt, planFingerprint: other }),
      says: [/release gateway@\S+ was rehearsed as .* and is sha256:99999/, /compiles to another graph/],
    },
    {
      name: "for another plan",
      objections: texts(ABOUT, { graph: { ...PRODUCTION, plan: "other" }, planFingerprint: other }),
      says: [/it is for plan p\S*, not for other/, /another graph/],
    },
    {
      name: "for another environment",
      objections: texts(ABOUT, { graph: { ...PRODUCTION, environment: "staging" } }),
      says: [/for environment production, not for staging/],
    },
    {
      name: "for a step more",
      objections: texts(ABOUT, { graph: { ...PRODUCTION, moves: PRODUCTION.moves.slice(1) } }),
      says: [new RegExp(`"${step.title.replaceAll(/[()]/g, "\\$&")}" is gone`)],
    },
    {
      name: "for other limits",
      objections: texts(ABOUT, { graph: { ...PRODUCTION, guard: { ...PRODUCTION.guard, slowerThanMs: 9 } } }),
      says: [/counts, regions, drivers or limits/],
    },
    {
      name: "from another place of rehearsal",
      objections: texts(ABOUT, { rehearsedIn: "staging" }),
      says: [/rehearsed in demo, and the environment file says staging/],
    },
    {
      name: "from production itself",
      objections: texts(about({ rehearsed: { ...ABOUT.rehearsed, class: "production" } })),
      says: [/is of class production/],
    },
    {
      name: "with a drill that failed",
      objections: texts(about({ drills: ABOUT.drills.map((one) => ({ ...one, outcome: "failed" as const })) })),
      says: [/^CERTIFICATE_INCOMPLETE drill "the whole plan" failed/, /a server dies/, /no walk/],
    },
    { name: "without drills", objections: texts(about({ drills: [] })), says: [/CERTIFICATE_INCOMPLETE .*no walk/] },
    {
      name: "with too short a soak",
      objections: texts(about({ soak: { askedMs: 0, healthyMs: 9_999 } })),
      says: [/CERTIFICATE_INCOMPLETE .*10 s of 10 s/],
    },
    {
      name: "before its time",
      objections: texts(ABOUT, {}, "2026-11-21T11:59:59.999Z"),
      says: [/CERTIFICATE_TOO_EARLY .*2026-11-21T12:00/],
    },
    {
      name: "at the end of its time",
      objections: texts(ABOUT, {}, ABOUT.validUntil),
      says: [/CERTIFICATE_EXPIRED .*2026-11-28T12:00/],
    },
  ])("$name", ({ objections, says }) => {
    expect(objections).toEqual(says.map((pattern): unknown => expect.stringMatching(pattern)));
  });
});

test("a fact of production that the plan depends on may not change, vanish, appear or be unrecorded; others may", () => {
  const now = (changes: Readonly<Record<string, string | undefined>>) =>
    FACTS.flatMap(({ id, value }) => {
      const is = id in changes ? changes[id] : value;
      return is === undefined ? [] : [{ id, value: is }];
    });
  const said = (facts: FactsOfNow["facts"], predicate = ABOUT, dependsOn = predicate.dependsOn) =>
    changedFacts(predicate, { facts, dependsOn }).map(({ text }) => text);
  expect(said(now({ "host/name": "b" }))).toEqual([]);
  expect(said(now({ "db/schema": "sha256:bb" }))).toEqual([
    "db/schema was sha256:aa in production and is sha256:bb now",
  ]);
  expect(said(now({ "gateway/instances": undefined }))).toEqual([
    "gateway/instances was 6 in production and is not there now",
  ]);
  expect(said([...FACTS, { id: "db/trigger", value: "on" }], ABOUT, [...ABOUT.dependsOn, "db/trigger"])).toEqual([
    "db/trigger is on in production now and was not there",
  ]);
  expect(said(FACTS, about({ dependsOn: ["db/rows"] }), ABOUT.dependsOn)).toEqual([
    "db/rows, which the plan depends on, was not recorded by the rehearsal",
  ]);
});

test("a hundred differences are counted and not listed", () => {
  const files = Array.from({ length: 100 }, (_, index) => ({ name: `migrations/db/${index}.sql`, text: "" }));
  expect(texts(ABOUT, withFiles([...FILES, ...files])).at(-1)).toContain("95 more files differ");
});
