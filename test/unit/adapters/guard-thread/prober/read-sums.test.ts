import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readLine, type ProberLine, type SumKey } from "../../../../../src/adapters/guard-thread/prober/prober-line.ts";
import { readSums, type Heard } from "../../../../../src/adapters/guard-thread/prober/read-sums.ts";
import { startSums } from "../../../../../src/adapters/guard-thread/prober/sums.ts";

const key = (operation: string): SumKey => ({ kind: "sample", outcome: { operation, kind: "ok" }, cohort: "all" });
const [ORDER, AMEND] = [key("order"), key("amend")];
const line = (seq: number, sums: ProberLine["sums"], more: Partial<ProberLine> = {}): ProberLine => ({
  kind: "probes",
  boot: "a",
  seq,
  at: (seq + 1) * 100,
  from: seq * 100,
  to: (seq + 1) * 100,
  sums,
  ...more,
});
const grown = (heard: Heard): unknown =>
  heard.kind === "grown" ? { ...heard.grown, sums: heard.grown.sums.map(([one, count]) => [one, count]) } : heard.kind;

describe("sums that a prober prints", () => {
  test("are told as what came since the line before", () => {
    const read = readSums();
    expect(grown(read(line(0, [[ORDER, 2]])))).toEqual({ from: 0, to: 100, sums: [[ORDER, 2]] });
    expect(
      grown(
        read(
          line(1, [
            [ORDER, 5],
            [AMEND, 1],
          ]),
        ),
      ),
    ).toEqual({
      from: 100,
      to: 200,
      sums: [
        [ORDER, 3],
        [AMEND, 1],
      ],
    });
  });

  test("count once in a line that comes twice, or after a later one", () => {
    const read = readSums();
    read(line(0, [[ORDER, 2]]));
    read(line(1, [[ORDER, 4]]));
    expect([read(line(1, [[ORDER, 4]])), read(line(0, [[ORDER, 2]]))].map((one) => one.kind)).toEqual([
      "known",
      "known",
    ]);
    expect(grown(read(line(2, [[ORDER, 5]])))).toMatchObject({ sums: [[ORDER, 1]] });
  });

  test("of a lost line come with the next whole one, over all the time since", () => {
    const read = readSums();
    read(line(0, [[ORDER, 2]]));
    expect(grown(read(line(2, [[ORDER, 6]])))).toBe("unsure");
    const whole = line(
      3,
      [
        [ORDER, 7],
        [AMEND, 3],
      ],
      { isWhole: true },
    );
    expect(grown(read(whole))).toEqual({
      from: 100,
      to: 400,
      sums: [
        [ORDER, 5],
        [AMEND, 3],
      ],
    });
  });

  test("from before we listened are nobody's: counting begins with the first whole line", () => {
    const read = readSums();
    expect(grown(read(line(7, [[ORDER, 70]])))).toBe("unsure");
    expect(grown(read(line(8, [[ORDER, 80]], { isWhole: true })))).toMatchObject({ sums: [] });
    expect(grown(read(line(9, [[ORDER, 81]])))).toMatchObject({ sums: [[ORDER, 1]] });
  });

  test("begin anew with a prober that started anew, and its past says nothing any more", () => {
    const read = readSums();
    read(line(0, [[ORDER, 9]]));
    expect(read(line(0, [[ORDER, 1]], { boot: "b" }))).toMatchObject({ kind: "grown", isRestart: true });
    expect(read(line(1, [[ORDER, 12]])).kind).toBe("late");
    expect(grown(read(line(1, [[ORDER, 3]], { boot: "b" })))).toMatchObject({ sums: [[ORDER, 2]] });
  });

  test("are what was counted, whichever lines are lost and however often the others come", () => {
    const fates = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fates, fc.array(fc.nat({ max: 4 }), { minLength: 60, maxLength: 60 }), (copies, adds) => {
        const [sums, read] = [startSums(), readSums()];
        let [seq, told, made, wants] = [0, 0, 0, false];
        const say = (times: number): void => {
          const next = line(seq++, sums.take(wants), wants ? { isWhole: true } : {});
          for (let turn = 0; turn < times; turn++) {
            const heard = read(next);
            if (heard.kind === "unsure") wants = true;
            if (heard.kind !== "grown") continue;
            wants = false;
            told += heard.grown.sums.reduce((sum, [, count]) => sum + count, 0);
          }
        };
        say(1);
        for (const [index, times] of copies.entries()) {
          for (let turn = 0; turn < (adds[index] ?? 0); turn++, made++) sums.add(turn % 2 === 0 ? ORDER : AMEND);
          say(times);
        }
        for (let turn = 0; turn < 3; turn++) say(1);
        wants = true;
        say(1);
        expect(told).toBe(made);
      }),
    );
  });
});

test.each(["", "(node:1) Warning: something", "{", "null", '{"kind":"probes"}', '{"kind":"probes","boot":"a","seq":0'])(
  "%j is no line of a prober",
  (text) => {
    expect(readLine(text)).toBeUndefined();
  },
);
