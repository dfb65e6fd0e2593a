import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Entry } from "../../../../src/demo/venue/engine/entry.ts";
import { lastCommonSeq, openLog } from "../../../../src/demo/venue/engine/log.ts";
import { openWitness } from "../../../../src/demo/venue/engine/witness.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "engine-log-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const entry = (seq: number, epoch = 1): Entry => ({
  seq,
  epoch,
  at: seq,
  command: { op: "epoch", name: `entry ${seq}, with a longer text ${"x".repeat(seq % 50)}` },
});
const seqs = (entries: readonly Entry[]): readonly number[] => entries.map(({ seq }) => seq);

test("what was appended is there after the log is opened again, from any place on", () => {
  const log = openLog(dir);
  for (let seq = 1; seq <= 300; seq += 1) log.append(entry(seq, seq < 200 ? 1 : 2));
  log.close();
  const again = openLog(dir);
  expect(again).toMatchObject({
    lastSeq: 300,
    lastEpoch: 2,
    segments: [
      { epoch: 1, firstSeq: 1 },
      { epoch: 2, firstSeq: 200 },
    ],
  });
  for (const from of [0, 1, 63, 64, 65, 128, 199, 298])
    expect(again.after(from, 2)).toEqual([
      entry(from + 1, from + 1 < 200 ? 1 : 2),
      entry(from + 2, from + 2 < 200 ? 1 : 2),
    ]);
  expect(again.after(300, 5)).toEqual([]);
  again.close();
});

test("a last line that a crash tore is dropped, and the log goes on after the line before it", () => {
  const log = openLog(dir);
  log.append(entry(1));
  log.close();
  appendFileSync(join(dir, "log.ndjson"), '{"seq":2,"epo');
  const again = openLog(dir);
  expect(again.lastSeq).toBe(1);
  again.append(entry(2));
  expect(seqs(again.after(0, 10))).toEqual([1, 2]);
  again.close();
  expect(readFileSync(join(dir, "log.ndjson"), "utf8").trim().split("\n")).toHaveLength(2);
});

test("a damaged line or a gap is refused with the place, never skipped", () => {
  const path = join(dir, "log.ndjson");
  writeFileSync(path, `${JSON.stringify(entry(1))}\nrubbish\n`);
  expect(() => openLog(dir)).toThrow(/line 2 is no JSON/);
  writeFileSync(path, `${JSON.stringify(entry(1))}\n${JSON.stringify(entry(3))}\n`);
  expect(() => openLog(dir)).toThrow(/entry 3 of epoch 1 follows entry 1/);
});

test("a truncated log forgets the end for good", () => {
  const log = openLog(dir);
  for (let seq = 1; seq <= 200; seq += 1) log.append(entry(seq, seq <= 150 ? 1 : 2));
  log.truncate(128);
  expect(log).toMatchObject({ lastSeq: 128, lastEpoch: 1, segments: [{ epoch: 1, firstSeq: 1 }] });
  log.append(entry(129, 3));
  expect(seqs(log.after(126, 10))).toEqual([127, 128, 129]);
  log.truncate(0);
  log.append(entry(1, 4));
  log.close();
  const again = openLog(dir);
  expect(again).toMatchObject({ lastSeq: 1, lastEpoch: 4 });
  again.close();
});

test.each([
  { name: "the same log", mine: [[1, 1]], myLast: 5, theirs: [[1, 1]], theirLast: 5, common: 5 },
  { name: "an empty log", mine: [[1, 1]], myLast: 5, theirs: [], theirLast: 0, common: 0 },
  {
    name: "one that is behind",
    mine: [
      [1, 1],
      [2, 4],
    ],
    myLast: 9,
    theirs: [[1, 1]],
    theirLast: 2,
    common: 2,
  },
  {
    name: "one that wrote on after the other took over",
    mine: [
      [1, 1],
      [2, 4],
    ],
    myLast: 9,
    theirs: [[1, 1]],
    theirLast: 6,
    common: 3,
  },
  {
    name: "one with an epoch that never was",
    mine: [
      [1, 1],
      [3, 4],
    ],
    myLast: 9,
    theirs: [
      [1, 1],
      [2, 4],
    ],
    theirLast: 6,
    common: 3,
  },
])("with $name the last common entry is $common", ({ mine, myLast, theirs, theirLast, common }) => {
  const segments = (pairs: readonly (readonly number[])[]) =>
    pairs.map(([epoch = 0, firstSeq = 0]) => ({ epoch, firstSeq }));
  const [left, right] = [
    { segments: segments(mine), lastSeq: myLast },
    { segments: segments(theirs), lastSeq: theirLast },
  ];
  expect(lastCommonSeq(left, right)).toBe(common);
  expect(lastCommonSeq(right, left)).toBe(common);
});

test("an epoch has one owner, whoever asks first", () => {
  const [a, b] = [openWitness(dir, "a"), openWitness(dir, "b")];
  expect(a.latest()).toEqual({ epoch: 0, owner: "" });
  expect([a.claim(1), b.claim(1), a.claim(1)]).toEqual([true, false, false]);
  expect([b.claim(2), a.claim(2)]).toEqual([true, false]);
  expect(a.latest()).toEqual({ epoch: 2, owner: "b" });
  expect([a.isTaken(2), a.isTaken(3)]).toEqual([true, false]);
});
