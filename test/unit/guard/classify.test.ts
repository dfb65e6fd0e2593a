import { describe, expect, test } from "vitest";
import { classify, isFailure, isNoSample } from "../../../src/guard/classify.ts";
import { OKX_V5 } from "../../../src/guard/rules-okx.ts";
import { classIn, tableOf, type Rules } from "../../../src/guard/rules.ts";

describe("an outcome has the class of the table", () => {
  test.each([
    { seen: { http: 200, code: "0" }, outcome: "ok" },
    { seen: { http: 503, code: "50001" }, outcome: "service" },
    { seen: { http: 429, code: "50013" }, outcome: "service" },
    { seen: { http: 500, code: "50026" }, outcome: "service" },
    { seen: { http: 200, code: "50062" }, outcome: "service" },
    { seen: { http: 200, code: "30030" }, outcome: "service" },
    { seen: { http: 400, code: "50004" }, outcome: "ambiguous" },
    { seen: { http: 500, code: "51149" }, outcome: "ambiguous" },
    { seen: { http: 200, code: "54071" }, outcome: "maintenance" },
    { seen: { http: 200, code: "51029" }, outcome: "maintenance" },
    { seen: { http: 200, code: "30038" }, outcome: "maintenance" },
    { seen: { http: 429, code: "50011" }, outcome: "rate" },
    { seen: { http: 401, code: "50113" }, outcome: "auth" },
    { seen: { http: 401, code: "50101" }, outcome: "auth" },
    { seen: { http: 200, code: "51008" }, outcome: "business" },
    { seen: { http: 200, code: "51202" }, outcome: "business" },
    { seen: { http: 200, code: "64008" }, outcome: "planned" },
    { seen: { transport: "refused" }, outcome: "service" },
    { seen: { transport: "cut" }, outcome: "ambiguous" },
    { seen: { transport: "timeout" }, outcome: "ambiguous" },
    { seen: { http: 503 }, outcome: "service" },
    { seen: { http: 502 }, outcome: "ambiguous" },
    { seen: { http: 504 }, outcome: "ambiguous" },
    { seen: { http: 401 }, outcome: "auth" },
    { seen: { http: 403 }, outcome: "auth" },
    { seen: { http: 429 }, outcome: "rate" },
    { seen: { http: 200, code: "50000" }, outcome: "business" },
    { seen: { http: 200, code: "51001" }, outcome: "business" },
    { seen: { http: 200, code: "50007" }, outcome: "business" },
    { seen: { http: 200, code: "60011" }, outcome: "business" },
    { seen: { http: 200, code: "51410" }, outcome: "business" },
    { seen: { http: 200, code: "1" }, outcome: "ambiguous" },
    { seen: { http: 200, code: "2" }, outcome: "ambiguous" },
    { seen: { http: 500, code: "51008" }, outcome: "business" },
  ] as const)("$seen → $outcome", ({ seen, outcome }) =>
    expect(classify(seen, OKX_V5)).toEqual({ outcome, isListed: true }),
  );

  test.each([
    { seen: { http: 500, code: "59999" }, outcome: "service", why: "HTTP 5xx" },
    { seen: { http: 200, code: "50999" }, outcome: "service", why: "50xxx" },
    { seen: { http: 200, code: "51999" }, outcome: "business", why: "any other row" },
    { seen: { http: 200, code: "constructor" }, outcome: "business", why: "a word that JavaScript knows" },
    { seen: { http: 200 }, outcome: "ambiguous", why: "a page instead of an answer" },
    { seen: { http: 404 }, outcome: "service", why: "nobody there" },
    { seen: { http: 499, code: "51999" }, outcome: "business", why: "a code with the last HTTP status before 5xx" },
    { seen: { http: 200, code: "5099" }, outcome: "business", why: "50 with two digits" },
    { seen: { http: 200, code: "509999" }, outcome: "business", why: "50 with four digits" },
    { seen: { http: 200, code: "15099" }, outcome: "business", why: "50 in the middle" },
    { seen: { http: 199 }, outcome: "service", why: "a status before success" },
    { seen: { http: 299 }, outcome: "ambiguous", why: "the last status of success" },
    { seen: { http: 300 }, outcome: "service", why: "a status after success" },
  ] as const)("unlisted: $why is $outcome", ({ seen, outcome }) =>
    expect(classify(seen, OKX_V5)).toEqual({ outcome, isListed: false }),
  );
});

test("a user who got no order counts as failed; a limited or refused sender is no sample; business is health", () => {
  const classes = ["ok", "service", "ambiguous", "maintenance", "rate", "auth", "business", "planned"] as const;
  expect(classes.filter(isFailure)).toEqual(["service", "ambiguous", "maintenance"]);
  expect(classes.filter(isNoSample)).toEqual(["rate", "auth", "planned"]);
});

describe("rules of an API", () => {
  test("list codes one by one and in ranges, both ends included", () => {
    expect(
      ["6", "7", "10", "11", "12", "13", "51290"].map((code) =>
        classIn(
          tableOf([
            ["7 10-12", "ok"],
            ["51290", "maintenance"],
          ]),
          code,
        ),
      ),
    ).toEqual([undefined, "ok", "ok", "ok", "ok", undefined, "maintenance"]);
    expect(tableOf([])).toEqual({ single: {}, ranges: [] });
  });

  test("use each class", () => {
    const { single, ranges } = OKX_V5.codes;
    expect(new Set([...Object.values(single), ...ranges.map(({ outcome }) => outcome)])).toEqual(
      new Set(["ok", "service", "ambiguous", "maintenance", "rate", "auth", "business", "planned"]),
    );
  });

  test("know by which codes a venue says that it lost an order", () => {
    expect(OKX_V5.lostState).toEqual(["51001", "51400", "51503", "51603"]);
    for (const code of OKX_V5.lostState)
      expect(classify({ http: 200, code }, OKX_V5)).toEqual({ outcome: "business", isListed: true });
  });

  test("are the user's own where he has some", () => {
    const rules: Rules = {
      ...OKX_V5,
      codes: tableOf([["OK", "ok"]]),
      status: tableOf([["503", "planned"]]),
      failing: { prefix: "9" },
    };
    expect(classify({ http: 200, code: "OK" }, rules).outcome).toBe("ok");
    expect(classify({ http: 200, code: "0" }, rules).outcome).toBe("business");
    expect(classify({ http: 200, code: "90000" }, rules).outcome).toBe("service");
    expect(classify({ http: 503 }, rules).outcome).toBe("planned");
  });
});
