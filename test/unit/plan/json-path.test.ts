import { describe, expect, test } from "vitest";
import { parseJsonPath, valueAt } from "../../../src/plan/json-path.ts";
import { parseTemplate } from "../../../src/plan/template.ts";

describe("a JSON path", () => {
  test.each([
    { text: "code", path: ["code"] },
    { text: "data[0].sCode", path: ["data", 0, "sCode"] },
    { text: "$.error.code", path: ["error", "code"] },
    { text: "[1].a-b", path: [1, "a-b"] },
    { text: 'a["b.c"][12]', path: ["a", "b.c", 12] },
    { text: String.raw`["say \"x\""]`, path: ['say "x"'] },
  ])("$text is read", ({ text, path }) => expect(parseJsonPath(text)).toEqual({ kind: "read", path }));

  test.each([
    { text: "", at: 0 },
    { text: "$", at: 0 },
    { text: ".code", at: 0 },
    { text: "a..b", at: 1 },
    { text: "a.", at: 1 },
    { text: "a[x]", at: 1 },
    { text: "a[0", at: 1 },
    { text: "a b", at: 1 },
    { text: "a.*", at: 1 },
  ])("$text is refused where it goes wrong", ({ text, at }) =>
    expect(parseJsonPath(text)).toMatchObject({ kind: "wrong", at }),
  );

  test("finds what an answer holds, and nothing that its objects inherit", () => {
    const answer = { data: [{ sCode: "51008" }], code: "1" };
    expect(valueAt(answer, ["data", 0, "sCode"])).toBe("51008");
    expect(valueAt(answer, ["data", 1, "sCode"])).toBeUndefined();
    expect(valueAt(answer, ["constructor", "name"])).toBeUndefined();
    expect(valueAt("a text", ["length"])).toBeUndefined();
    expect(valueAt(undefined, ["a"])).toBeUndefined();
    expect(valueAt(null, ["a"])).toBeUndefined();
  });
});

describe("a template", () => {
  test.each([
    { text: "", template: [] },
    { text: "plain", template: ["plain"] },
    { text: "{id}", template: [{ name: "id" }] },
    { text: "/a/{pay.id}/b?at={now}", template: ["/a/", { name: "pay.id" }, "/b?at=", { name: "now" }] },
    { text: '{{"id":"{new-order.id}"}}', template: ['{"id":"', { name: "new-order.id" }, '"}'] },
  ])("$text is read", ({ text, template }) => expect(parseTemplate(text)).toEqual({ kind: "read", template }));

  test.each([
    { text: "a{", at: 1 },
    { text: "a}b", at: 1 },
    { text: "{}", at: 0 },
    { text: "{two words}", at: 0 },
    { text: "{id}{1}", at: 4 },
  ])("$text is refused where it goes wrong", ({ text, at }) =>
    expect(parseTemplate(text)).toMatchObject({ kind: "wrong", at }),
  );
});
