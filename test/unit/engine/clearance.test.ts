import { describe, expect, test } from "vitest";
import { begin } from "../../../src/engine/begin.ts";
import type { Clearance } from "../../../src/engine/clearance.ts";
import { decide } from "../../../src/engine/decide.ts";
import type { Opened } from "../../../src/engine/fact.ts";
import type { Phase, Run } from "../../../src/engine/run.ts";
import type { Effect } from "../../../src/engine/effect.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { narrator } from "../../../src/events/narrator.ts";
import { graphOf } from "./graph.ts";

const APPROVE: Graph = {
  ...graphOf(),
  moves: [
    { kind: "approve", id: "1-approve", step: 0, title: "approval by ops", who: "ops", deadlineMs: 0, retries: 0 },
  ],
};
const OVERRIDE: Clearance = { kind: "override", because: "it burns", by: "alice" };
const CERTIFICATE: Clearance = {
  kind: "certificate",
  sha256: "a".repeat(64),
  key: "rehearsal",
  keyId: "b".repeat(64),
  signer: "alice@build-1",
  validUntil: "2026-11-28T12:00:00.000Z",
  notBy: ["alice", "alice@build-1", "rehearsal"],
};

const opened = (clearance?: Clearance): Opened => ({
  kind: "opened",
  run: "r",
  graph: APPROVE,
  planFingerprint: "p",
  graphFingerprint: "g",
  version: "0",
  epoch: 1,
  ...(clearance === undefined ? {} : { clearance }),
});
const runIn = (phase: Phase, clearance?: Clearance): Run => ({ ...begin(opened(clearance)).run, phase, pending: {} });
const pages = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === "notify" && effect.notice === "override" ? [effect.text] : []));
const started = { kind: "conductor-started", at: 1, epoch: 2, host: "h", pid: 1, version: "0" } as const;

test("whoever goes without a certificate is announced, with the reason, before anything else is sent", () => {
  const { effects } = begin(opened(OVERRIDE));
  expect(effects[0]?.kind).toBe("notify");
  expect(pages(effects)).toEqual([expect.stringMatching(/WITHOUT A CERTIFICATE, by alice, because: it burns/)]);
  expect(pages(begin(opened(CERTIFICATE)).effects)).toEqual([]);
});

test("a journal from before there were certificates is folded as ever", () => {
  expect(begin(opened()).effects.map(({ kind }) => kind)).toEqual(
    begin(opened(CERTIFICATE)).effects.map(({ kind }) => kind),
  );
  expect(begin(opened()).effects.every(({ kind }) => kind.startsWith("observe"))).toBe(true);
  expect(pages(decide(runIn({ kind: "gating" }), started).effects)).toEqual([]);
});

describe("a conductor that goes on", () => {
  test("with what was overridden announces it again", () => {
    for (const phase of [{ kind: "preparing" }, { kind: "gating" }, { kind: "moving" }] as const)
      expect(pages(decide(runIn(phase, OVERRIDE), started).effects)).toHaveLength(1);
  });

  test("by an override of its own announces that, and remembers it", () => {
    const decision = decide(runIn({ kind: "gating" }, CERTIFICATE), { ...started, clearance: OVERRIDE });
    expect(pages(decision.effects)).toHaveLength(1);
    expect(decision.run.clearance).toEqual(OVERRIDE);
  });

  test("with an undo announces nothing", () => {
    expect(pages(decide(runIn({ kind: "confirming" }, OVERRIDE), started).effects)).toEqual([]);
  });
});

describe("where the signer may not approve", () => {
  const waiting = runIn({ kind: "moving" }, CERTIFICATE);
  const asked = (what: "approve" | "refuse", by: string) => ({ kind: "asked", at: 2, what, by }) as const;

  test.each(["alice", " Alice ", "alice@build-1", "rehearsal"])("%s is not counted, and is told so", (by) => {
    const fact = asked("approve", by);
    const decision = decide(waiting, fact);
    expect([decision.run.phase.kind, decision.run.next]).toEqual(["moving", 0]);
    const events = narrator(waiting)({ seq: 2, fact, effects: decision.effects }, decision.run);
    expect(events[0]?.message).toContain("signed the certificate: not counted");
  });

  test("somebody else is", () => {
    const { run } = decide(waiting, asked("approve", "bob"));
    expect([run.phase.kind, run.next]).not.toEqual(["moving", 0]);
  });

  test("the signer may refuse all the same", () => {
    expect(decide(waiting, asked("refuse", "alice")).run.phase).toMatchObject({
      kind: "ended",
      text: expect.stringContaining("approval refused by alice") as unknown,
    });
  });

  test("and where they may, they are counted", () => {
    const { notBy: _, ...free } = CERTIFICATE;
    const { run } = decide(runIn({ kind: "moving" }, free), asked("approve", "alice"));
    expect([run.phase.kind, run.next]).not.toEqual(["moving", 0]);
  });
});
