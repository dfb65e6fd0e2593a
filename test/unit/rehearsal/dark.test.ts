import { describe, expect, test } from "vitest";
import type { SessionReading } from "../../../src/ports/sessions.ts";
import type { ProofOrder } from "../../../src/ports/watcher.ts";
import { drillsOfDark, judgeDark, watchedWorld, type DarkReading } from "../../../src/rehearsal/dark.ts";
import type { World } from "../../../src/runtime/world.ts";
import { graphOf, NEW, OLD } from "../engine/graph.ts";

const quiet: SessionReading = { store: "db", sessions: 2, transactions: 0, acts: [] };
const reading = (more: Partial<DarkReading> = {}): DarkReading => ({
  component: "gateway",
  region: "tokyo",
  alone: [quiet],
  probed: [quiet],
  ...more,
});
const wrote = { kind: "write", session: "gw (pid 7)", statement: "insert into heartbeats" } as const;
const led = { kind: "advisory-lock", session: "gw (pid 7)", lock: "0:1:1 ExclusiveLock" } as const;

describe("what was seen in the dark", () => {
  test.each([
    { name: "sessions that only read pass", given: reading(), outcome: "passed", says: "2 sessions of it only read" },
    {
      name: "what others wrote is not theirs",
      given: reading({ alone: [{ ...quiet, transactions: 5 }] }),
      outcome: "passed",
      says: "5 transactions of others",
    },
    {
      name: "a row written before anybody asked fails, with its statement",
      given: reading({ alone: [{ ...quiet, transactions: 1, acts: [wrote] }] }),
      outcome: "failed",
      says: "db: gw (pid 7) wrote; its last statement was: insert into heartbeats, before anybody asked it anything",
    },
    {
      name: "a row that a probe makes it write is the probe's",
      given: reading({ probed: [{ ...quiet, transactions: 1, acts: [wrote] }] }),
      outcome: "passed",
      says: "only read",
    },
    {
      name: "the lead taken fails, whenever",
      given: reading({ probed: [{ ...quiet, acts: [led] }] }),
      outcome: "failed",
      says: "took the advisory lock 0:1:1 ExclusiveLock, while it was probed",
    },
    {
      name: "a slot that is consumed fails",
      given: reading({ alone: [{ ...quiet, acts: [{ kind: "replication-slot", session: "gw", slot: "trades" }] }] }),
      outcome: "failed",
      says: "consumed from the replication slot trades",
    },
    {
      name: "who sees no sessions claims nothing",
      given: reading({ alone: [{ ...quiet, blindTo: { what: "sessions", why: "no right" } }] }),
      outcome: "skipped",
      says: "db: no right",
    },
    {
      name: "a server that does not count by session proves nothing when somebody wrote",
      given: reading({ alone: [{ ...quiet, transactions: 1, blindTo: { what: "writes", why: "too old" } }] }),
      outcome: "skipped",
      says: "too old",
    },
    {
      name: "and proves it when nobody did",
      given: reading({ alone: [{ ...quiet, blindTo: { what: "writes", why: "too old" } }] }),
      outcome: "passed",
      says: "0 transactions",
    },
    { name: "a plan without a store is no pass", given: reading({ alone: [] }), outcome: "skipped", says: "no store" },
    { name: "nothing watched is no pass", given: undefined, outcome: "skipped", says: "nothing was watched" },
  ])("$name", ({ given, outcome, says }) => {
    const judged = judgeDark(given);
    expect(judged.outcome).toBe(outcome);
    expect(judged.detail).toContain(says);
  });

  test("is one drill for each region that the plan proves, at its first proof", () => {
    const drills = drillsOfDark(graphOf(), []);
    expect(drills.map(({ step, outcome }) => [step, outcome])).toEqual([
      ["2-roll-gateway/wave-1/batch-1/prove", "skipped"],
      ["2-roll-gateway/wave-2/batch-1/prove", "skipped"],
    ]);
  });
});

test("new instances are watched from before their start until after their first proof, and the run waits for it", async () => {
  const told: string[] = [];
  const say = (text: string) => {
    told.push(text);
    return Promise.resolve();
  };
  const real = {
    workloads: {
      gateway: {
        workload: {
          shape: async (region: string) => {
            await say(`shape ${region}`);
            return { region, instances: [] };
          },
        },
      },
    },
    watcher: { prove: (order: ProofOrder) => say(`prove ${order.id}`) },
  } as unknown as World;
  const world = watchedWorld(real, graphOf(), {
    begin: (component, region) => say(`begin ${component} ${region}`),
    alone: (_, region) => say(`alone ${region}`),
    probed: (_, region) => say(`probed ${region}`),
  });
  const signal = new AbortController().signal;
  const shape = (region: string, fresh: number) =>
    world.workloads["gateway"]?.workload.shape(
      region,
      {
        releases: [
          { ...OLD, count: 3 },
          { ...NEW, count: fresh },
        ],
        drain: { noticeMs: 0, deadlineMs: 0 },
      },
      { epoch: 1, seq: 1 },
      signal,
    );
  const prove = (id: string, region: string) =>
    world.watcher.prove(
      { id, instances: [{ component: "gateway", region }], excludePct: 5, confidencePct: 99, deadlineMs: 1 } as never,
      signal,
    );
  await shape("tokyo", 0);
  await shape("tokyo", 1);
  await prove("first", "tokyo");
  await shape("tokyo", 2);
  await prove("second", "tokyo");
  await prove("unwatched", "frankfurt");
  expect(told).toEqual([
    "shape tokyo",
    "begin gateway tokyo",
    "shape tokyo",
    "alone tokyo",
    "prove first",
    "probed tokyo",
    "shape tokyo",
    "prove second",
    "prove unwatched",
  ]);
});
