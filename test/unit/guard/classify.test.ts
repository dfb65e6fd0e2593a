import { describe, expect, test } from "vitest";
import { classify, isFailure, isNoSample } from "../../../src/guard/classify.ts";

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
  ] as const)("$seen → $outcome", ({ seen, outcome }) => expect(classify(seen)).toEqual({ outcome, isListed: true }));

  test.each([
    { seen: { http: 500, code: "59999" }, outcome: "service", why: "HTTP 5xx" },
    { seen: { http: 200, code: "50999" }, outcome: "service", why: "50xxx" },
    { seen: { http: 200, code: "51999" }, outcome: "business", why: "any other row" },
    { seen: { http: 200, code: "constructor" }, outcome: "business", why: "a word that JavaScript knows" },
    { seen: { http: 200 }, outcome: "ambiguous", why: "a page instead of an answer" },
    { seen: { http: 404 }, outcome: "service", why: "nobody there" },
  ] as const)("unlisted: $why is $outcome", ({ seen, outcome }) =>
    expect(classify(seen)).toEqual({ outcome, isListed: false }),
  );
});

test("a user who got no order counts as failed; a limited or refused sender is no sample; business is health", () => {
  const classes = ["ok", "service", "ambiguous", "maintenance", "rate", "auth", "business", "planned"] as const;
  expect(classes.filter(isFailure)).toEqual(["service", "ambiguous", "maintenance"]);
  expect(classes.filter(isNoSample)).toEqual(["rate", "auth", "planned"]);
});
