import fc from "fast-check";
import { expect, test } from "vitest";
import { listReader } from "../../../../src/adapters/kubernetes/api/list-reader.ts";

function read(pieces: readonly string[]): { readonly items: readonly unknown[]; readonly around: unknown } {
  const items: unknown[] = [];
  const reader = listReader((item) => void items.push(item));
  for (const piece of pieces) reader.take(piece);
  return { items, around: reader.end() };
}

/** Cuts a text at these places. */
const cut = (text: string, at: readonly number[]): readonly string[] => {
  const places = [0, ...at.map((one) => one % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return places.slice(1).map((to, index) => text.slice(places[index], to));
};

const anyObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { depthIdentifier: "object" });
const anyList = fc.record({
  kind: fc.string(),
  metadata: fc.record({ resourceVersion: fc.string(), items: fc.array(anyObject) }),
  items: fc.array(anyObject),
  after: fc.record({ items: fc.array(anyObject), text: fc.string() }),
});

test("a list is read as it was sent, wherever it is cut and however it is indented", () => {
  const asSent = fc.property(
    anyList,
    fc.array(fc.nat(), { maxLength: 20 }),
    fc.constantFrom(undefined, 2),
    (list, at, indent) => {
      const text = JSON.stringify(list, undefined, indent);
      const { items, metadata, kind, after } = JSON.parse(text) as typeof list;
      expect(read(cut(text, at))).toEqual({ items, around: { kind, metadata, items: [], after } });
    },
  );
  fc.assert(asSent);
});

test("an object is handed over as soon as it is whole", () => {
  const items: unknown[] = [];
  const reader = listReader((item) => void items.push(item));
  reader.take(`{"kind":"PodList","items":[{"name":"a"},{"name":"b`);
  expect(items).toEqual([{ name: "a" }]);
  reader.take(`"}`);
  expect(items).toEqual([{ name: "a" }, { name: "b" }]);
});

test.each([
  { name: "nothing", text: "" },
  { name: "a page of a proxy", text: "<html><body>no</body></html>" },
  { name: "half a list", text: `{"kind":"PodList","items":[{"name":"a"}` },
  { name: "an object that is no JSON", text: `{"items":[{name:"a"}]}` },
])("$name is no list", ({ text }) => {
  expect(() => read([text])).toThrow(SyntaxError);
});

test("a list without objects is empty, also where it says so by null", () => {
  expect(read([`{"items":[]}`])).toEqual({ items: [], around: { items: [] } });
  expect(read([`{"items":null}`])).toEqual({ items: [], around: { items: null } });
});
