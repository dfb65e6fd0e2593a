import { describe, expect, test } from "vitest";
import type { Effect } from "../../../src/engine/effect.ts";
import type { Fact } from "../../../src/engine/fact.ts";
import { begin } from "../../../src/engine/begin.ts";
import type { JournalRecord } from "../../../src/ports/journal.ts";
import { deliver, unsentNotices } from "../../../src/runtime/unsent.ts";
import { fakeNotifier } from "../../fakes/notifier.ts";
import { graphOf } from "../engine/graph.ts";

const { run } = begin({
  kind: "opened",
  run: "r1",
  graph: graphOf(),
  planFingerprint: "p",
  graphFingerprint: "g",
  version: "test",
  epoch: 1,
});
const ended: Effect = { kind: "notify", id: "notify:ended:9", notice: "ended", text: "undone" };
const fact: Fact = { kind: "effect-done", at: 7, id: "x", result: { kind: "verified" } };
const record = (seq: number, what: Fact, effects: readonly Effect[] = []): JournalRecord => ({
  seq,
  at: what.at,
  fact: what,
  effects,
});
const told = (notifier: string): Fact => ({ kind: "delivered", at: 8, notifier, notification: "r1/notify:ended:9" });

describe("P10: a notice of which no record says what became of it", () => {
  const pager = fakeNotifier("pager");
  const mail = fakeNotifier("mail");
  const deaf = fakeNotifier("deaf", ["tripped"]);

  test("is owed to each that wants it and was not answered for, with its own time and id", () => {
    const records = [record(1, fact, [ended]), record(2, told("mail"))];
    expect(unsentNotices(records, run, [pager, mail, deaf])).toEqual([
      { notifier: pager, notification: expect.objectContaining({ id: "r1/notify:ended:9", at: 7, text: "undone" }) },
    ]);
  });

  test("is owed to nobody once it was told, or reported as undelivered", () => {
    const lost: Fact = { kind: "undelivered", at: 9, notifier: "pager", notification: "r1/notify:ended:9", why: "no" };
    expect(
      unsentNotices([record(1, fact, [ended]), record(2, told("mail")), record(3, lost)], run, [pager, mail]),
    ).toEqual([]);
  });

  test("that cannot be told is a fact too", async () => {
    const [owed] = unsentNotices([record(1, fact, [ended])], run, [pager]);
    if (owed === undefined) throw new Error("nobody is owed anything");
    pager.lose();
    const { signal } = new AbortController();
    expect(await deliver(owed, () => 3, signal)).toMatchObject({ kind: "undelivered", at: 3, notifier: "pager" });
    expect(await deliver(owed, () => 4, signal)).toMatchObject({ kind: "delivered", at: 4, notifier: "pager" });
  });
});
