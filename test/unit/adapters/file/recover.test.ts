import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { EMPTY, lineAfter, type Head } from "../../../../src/adapters/file/line.ts";
import { recover } from "../../../../src/adapters/file/recover.ts";

// Twelve records as a run writes them: what is done to their bytes below, a disk can do.
const lines = Array.from({ length: 12 }).reduce<readonly { readonly bytes: Buffer; readonly head: Head }[]>(
  (before, _, index) => [
    ...before,
    lineAfter(before.at(-1)?.head ?? EMPTY, {
      at: 1_700_000_000_000 + index,
      fact: { kind: index === 0 ? "opened" : "effect-done", id: `s${index}` },
    }),
  ],
  [],
);
const journal = Buffer.concat(lines.map(({ bytes }) => bytes));
const head = lines.at(-1)?.head ?? EMPTY;
const ends = lines.map((_, index) => lines.slice(0, index + 1).reduce((sum, { bytes }) => sum + bytes.length, 0));
const wholeWithin = (length: number): number => ends.filter((end) => end <= length).length;
const headAt = (records: number): Head => lines[records - 1]?.head ?? EMPTY;

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return "accepted";
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
};

test("a line chains its text to the line before", () => {
  const { bytes } = lineAfter({ seq: 6, hash: "ab".repeat(16) }, { kind: "opened" });
  const text = `{"seq":7,"kind":"opened"`;
  expect(bytes.toString()).toBe(`${text},"hash":"${hash("sha256", `${"ab".repeat(16)}${text}`).slice(0, 32)}"}\n`);
  expect(lineAfter(EMPTY, {}).bytes.toString()).toMatch(/^\{"seq":1,"format":1,"hash":"[0-9a-f]{32}"\}\n$/);
});

test("every truncation keeps exactly the whole records, and cuts the rest", () => {
  for (let length = 0; length <= journal.length; length += 1) {
    const whole = wholeWithin(length);
    const read = recover("j", journal.subarray(0, length), headAt(whole));
    expect(read.records).toHaveLength(whole);
    expect(read.head).toEqual(headAt(whole));
    expect(read.bytes + read.tornBytes).toBe(length);
    expect(read.bytes).toBe(ends[whole - 1] ?? 0);
  }
});

test("every truncation that the disk filled with zeros keeps exactly the whole records", () => {
  for (let length = 0; length <= journal.length; length += 1) {
    const filled = Buffer.concat([journal.subarray(0, length), Buffer.alloc(512 - (length % 512 || 512))]);
    expect(recover("j", filled, headAt(wholeWithin(length))).records).toHaveLength(wholeWithin(length));
  }
});

test("a last record of which a block was never written is cut", () => {
  const holed = Buffer.from(journal);
  holed.fill(0, (ends[10] ?? 0) + 4, (ends[11] ?? 0) - 20);
  expect(recover("j", holed, headAt(11)).records).toHaveLength(11);
});

test("every truncation that loses an acknowledged record is refused", () => {
  for (let length = 0; length < journal.length; length += 1)
    expect(codeOf(() => recover("j", journal.subarray(0, length), head))).toBe("JOURNAL_CORRUPT");
});

test("no single flipped bit goes unnoticed", () => {
  let flips = 0;
  const verdicts = new Map<string, number>();
  for (let at = 0; at < journal.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Buffer.from(journal);
      flipped.writeUInt8((journal[at] ?? 0) ^ (1 << bit), at);
      const code = codeOf(() => recover("j", flipped, head));
      verdicts.set(code, (verdicts.get(code) ?? 0) + 1);
      flips += 1;
    }
  }
  expect(flips).toBe(journal.length * 8);
  expect(verdicts.get("accepted")).toBeUndefined();
  expect((verdicts.get("JOURNAL_CORRUPT") ?? 0) + (verdicts.get("JOURNAL_VERSION") ?? 0)).toBe(flips);
});

test("the anchor alone catches damage to the end that looks like a torn write", () => {
  const flipped = Buffer.from(journal);
  flipped.writeUInt8(11, journal.length - 1);
  expect(recover("j", flipped, headAt(11)).records).toHaveLength(11);
  expect(() => recover("j", flipped, head)).toThrow(
    "line 12 of j is damaged: it is missing or torn, but was acknowledged",
  );
});

test.each([
  {
    name: "a line in the middle that was edited",
    bytes: () => Buffer.from(journal.toString().replace('"id":"s4"', '"id":"s9"')),
    says: "line 5 of j is damaged: its hash does not follow from line 4",
  },
  {
    name: "a first line that was edited",
    bytes: () => Buffer.from(journal.toString().replace('"opened"', '"opener"')),
    says: "line 1 of j is damaged: its hash is not the hash of its text",
  },
  {
    name: "a line that was left out",
    bytes: () => Buffer.concat(lines.filter((_, index) => index !== 6).map(({ bytes }) => bytes)),
    says: "line 7 of j is damaged",
  },
  {
    name: "two lines that changed places",
    bytes: () =>
      Buffer.concat(
        [3, 2].reduce(
          (all, at, index) => all.with(index + 2, lines[at]?.bytes ?? Buffer.alloc(0)),
          lines.map(({ bytes }) => bytes),
        ),
      ),
    says: "line 3 of j is damaged",
  },
  {
    name: "good lines after zeros",
    bytes: () => Buffer.concat([journal.subarray(0, ends[3]), Buffer.alloc(40), journal.subarray(ends[3])]),
    says: "line 5 of j is damaged",
  },
  {
    name: "text after the end",
    bytes: () => Buffer.concat([journal, Buffer.from("hello\n")]),
    says: "line 13 of j is damaged: it does not end in its hash",
  },
  {
    name: "rubbish",
    bytes: () => Buffer.from("\x7fELF\n\n\n"),
    says: "line 1 of j is damaged: it does not end in its hash",
  },
])("$name is refused with the number of the line", ({ bytes, says }) => {
  expect(() => recover("j", bytes(), EMPTY)).toThrow(says);
});

test("another journal under the same anchor is refused", () => {
  const other = lineAfter(EMPTY, { at: 1, fact: { kind: "opened" } });
  expect(() => recover("j", other.bytes, headAt(1))).toThrow(
    "line 1 of j is damaged: it is not the record that the anchor vouches for",
  );
});

test("a journal may be ahead of its anchor: the writer died between the two", () => {
  expect(recover("j", journal, headAt(11)).records).toHaveLength(12);
});

test("a journal of a later format is left to the version that wrote it, whatever follows the number", () => {
  const later = Buffer.from('{"seq":1,"format":2,"anything":"else"}\nbinary\n');
  expect(() => recover("j", later, headAt(5))).toThrow("line 1 of j says format 2; this midflight reads format 1");
  expect(codeOf(() => recover("j", later, headAt(5)))).toBe("JOURNAL_VERSION");
});
