import { describe, expect, test } from "vitest";
import { classify } from "../../../src/guard/classify.ts";
import { OKX_V5 } from "../../../src/guard/rules-okx.ts";
import { rulesOn, tableOf, type Rules } from "../../../src/guard/rules.ts";
import { withUnlisted, type UnlistedCode } from "../../../src/guard/unlisted.ts";
import type { ClassRules } from "../../../src/plan/model.ts";

const written = (more: Partial<ClassRules> = {}): ClassRules => ({
  codes: {},
  status: {},
  transport: {},
  answers: "json",
  ...more,
});

describe("rules of one's own", () => {
  const pay = (): Rules =>
    rulesOn(
      OKX_V5,
      "pay",
      written({
        code: ["error.code"],
        codes: { ok: ["0"], service: ["700-799", "E1"], ambiguous: ["-1"] },
        status: { ok: ["200-299"], maintenance: ["503"] },
        transport: { cut: "service" },
        failingPrefix: "SYS",
      }),
    );

  test.each([
    { seen: { http: 200, code: "0" }, outcome: "ok", isListed: true },
    { seen: { http: 200, code: "742" }, outcome: "service", isListed: true },
    { seen: { http: 200, code: "E1" }, outcome: "service", isListed: true },
    { seen: { http: 200, code: "-1" }, outcome: "ambiguous", isListed: true },
    { seen: { http: 201 }, outcome: "ok", isListed: true },
    { seen: { http: 200, isPage: true }, outcome: "ambiguous", isListed: true },
    { seen: { http: 503 }, outcome: "maintenance", isListed: true },
    { seen: { http: 429 }, outcome: "rate", isListed: true },
    { seen: { http: 401 }, outcome: "auth", isListed: true },
    { seen: { http: 401, isPage: true }, outcome: "auth", isListed: true },
    { seen: { transport: "cut" }, outcome: "service", isListed: true },
    { seen: { transport: "timeout" }, outcome: "ambiguous", isListed: true },
    { seen: { http: 200, code: "SYS-9" }, outcome: "service", isListed: false },
    { seen: { http: 500, code: "9" }, outcome: "service", isListed: false },
    { seen: { http: 400, code: "9" }, outcome: "business", isListed: false },
    { seen: { http: 200, code: "51400" }, outcome: "business", isListed: false },
    { seen: { http: 200, code: "50026" }, outcome: "business", isListed: false },
    { seen: { http: 404 }, outcome: "service", isListed: false },
  ] as const)("$seen → $outcome", ({ seen, outcome, isListed }) =>
    expect(classify(seen, pay())).toEqual({ outcome, isListed }),
  );

  test("know nothing of what another table calls lost, or where it has its codes, or what fails by a prefix", () => {
    expect(pay()).toMatchObject({ name: "pay", lostState: [], code: [["error", "code"]], failing: { prefix: "SYS" } });
    const bare = rulesOn(OKX_V5, "bare", written());
    expect(bare).toStrictEqual({
      name: "bare",
      code: [],
      codes: { single: {}, ranges: [] },
      status: OKX_V5.status,
      transport: OKX_V5.transport,
      lostState: [],
      answers: "json",
    });
    expect(classify({ http: 200, code: "50999" }, bare)).toEqual({ outcome: "business", isListed: false });
    expect(rulesOn(OKX_V5, "own", written({ lostState: ["7"] })).lostState).toEqual(["7"]);
  });

  test("may say that an answer need not be JSON", () =>
    expect(
      classify(
        { http: 200, isPage: true },
        rulesOn(OKX_V5, "any", written({ status: { ok: ["200"] }, answers: "any" })),
      ),
    ).toEqual({ outcome: "ok", isListed: true }));
});

describe("rules that add to those that ship", () => {
  const codes = { business: ["59001", "50026"], service: ["51000-51010", "700-799"], rate: ["51008"] };
  const ours = (more: Partial<ClassRules> = {}): Rules =>
    rulesOn(OKX_V5, "ours", written({ extends: "okx-v5", codes, ...more }));

  test.each([
    { code: "0", outcome: "ok", why: "what they do not name stays" },
    { code: "50026", outcome: "business", why: "what they name is theirs" },
    { code: "51006", outcome: "service", why: "a range of theirs wins over a code that ships" },
    { code: "51008", outcome: "rate", why: "a code wins over a range" },
    { code: "50107", outcome: "auth", why: "a range that ships stays" },
    { code: "59001", outcome: "business", why: "a code of their own" },
  ])("$code is $outcome: $why", ({ code, outcome }) =>
    expect(classify({ http: 200, code }, ours())).toEqual({ outcome, isListed: true }),
  );

  test("keep its prefix of failures, its paths and its codes of lost state", () => {
    expect(classify({ http: 200, code: "50999" }, ours()).outcome).toBe("service");
    expect([ours().code, ours().lostState]).toEqual([OKX_V5.code, OKX_V5.lostState]);
  });

  test("have their own prefix, paths and codes of lost state where they name some, and no prefix where none ships", () => {
    const own = ours({ failingPrefix: "6", code: ["result"], lostState: ["7"] });
    expect(own).toMatchObject({ failing: { prefix: "6" }, code: [["result"]], lostState: ["7"] });
    const { failing: _failing, ...without } = OKX_V5;
    expect(Object.keys(rulesOn(without, "ours", written({ extends: "okx-v5" })))).not.toContain("failing");
  });
});

test("a range of a table is no code by itself, and a code no range", () => {
  expect(tableOf([["7 10-12", "ok"]])).toEqual({
    single: { "7": "ok" },
    ranges: [{ from: "10", to: "12", outcome: "ok" }],
  });
});

describe("codes that no rule names", () => {
  const seen = { rules: "okx-v5", code: "51999", outcome: "business" } as const;

  test("are listed once, with how often each source had them", () => {
    const rows = [1, 2, 3].reduce<readonly UnlistedCode[]>(
      (known, times) => withUnlisted(withUnlisted(known, seen, "live", times), seen, "probes", 1),
      [],
    );
    expect(rows).toEqual([{ ...seen, live: 6, probes: 3 }]);
    expect(withUnlisted(rows, { ...seen, rules: "other" }, "live", 1)).toHaveLength(2);
  });

  test("do not fill the memory where each answer has another one, and none is lost from the count", () => {
    let rows: readonly UnlistedCode[] = [];
    for (let code = 0; code < 1_000; code += 1) rows = withUnlisted(rows, { ...seen, code: `x${code}` }, "live", 1);
    expect(rows.length).toBeLessThanOrEqual(101);
    expect(rows.reduce((sum, { live }) => sum + live, 0)).toBe(1_000);
    expect(rows.at(-1)).toMatchObject({ code: "others", live: 900 });
    const again = withUnlisted(rows, { ...seen, code: "x7" }, "live", 5);
    expect(again.find(({ code }) => code === "x7")?.live).toBe(6);
    expect(again.at(-1)).toMatchObject({ code: "others", live: 900 });
  });
});
