import { beforeEach, describe, expect, test } from "vitest";
import { narrator } from "../../../src/events/narrator.ts";
import { entryOf, replay } from "../../../src/runtime/replay.ts";
import { conductedOnFakes, type Conducted } from "../../fakes/conducted.ts";
import { fakeWorld } from "../../fakes/workload.ts";
import { OLD } from "../engine/graph.ts";

let stage: Conducted;
beforeEach(async () => {
  stage = await conductedOnFakes();
});

const start: Conducted["start"] = (more) => stage.start(more);
const play: Conducted["play"] = (ended, until) => stage.play(ended, until);
const kinds: Conducted["kinds"] = () => stage.kinds();

describe("a run on fakes", () => {
  test("is promoted, and its journal replays to the same end", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    const run = await ended;
    expect(run.phase).toMatchObject({ kind: "ended", outcome: "promoted" });
    expect(replay(stage.store.durable("r1")).phase).toEqual(run.phase);
    expect(await stage.store.getFile("r1", "before.json")).toContain(OLD.digest);
    expect(stage.watcher.stopped()).toBe(true);
  });

  test("hears of users from components that it does not change, and leaves them alone", async () => {
    const seen = fakeWorld({ component: "edge", clock: stage.clock });
    seen.place("tokyo", { release: "edge@1.0", digest: "sha256:edge" }, 1);
    seen.cut("osaka");
    const witnesses = [{ component: "edge", regions: ["tokyo", "osaka"], workload: seen.workload }];
    const { ended } = await start({ witnesses });
    await play(ended, () => stage.watcher.watched().some(({ component }) => component === "edge"));
    const watched = stage.watcher.watched().filter(({ component }) => component === "edge");
    expect(watched.map(({ region, side }) => [region, side])).toEqual([["tokyo", "old"]]);
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "promoted" });
    expect(new Set(seen.calls.map(({ call }) => call))).toEqual(new Set(["observe"]));
  });

  test("a probe order that somebody traded with stands in the journal as a warning, and changes nothing", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    const fill = {
      region: "tokyo",
      cohort: "shard-3",
      clOrdId: "mf1",
      instrument: "BTC-USDT",
      size: "1",
      px: "2",
      sold: "1",
      state: "sold",
    } as const;
    await play(ended, () => kinds().length > 12);
    stage.watcher.beat({ fills: [fill] });
    stage.watcher.beat({ fills: [fill] });
    await play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "promoted" });
    expect(kinds().filter((kind) => kind === "probe-filled")).toHaveLength(1);
    const events = stage.store.durable("r1").flatMap((record, index, records) => {
      const { fact, effects } = entryOf(record);
      return fact.kind === "probe-filled"
        ? narrator(replay(records.slice(0, index)))({ seq: index, fact, effects }, replay(records.slice(0, index + 1)))
        : [];
    });
    expect(events.map(({ kind, message }) => [kind, message])).toEqual([
      ["probe-filled", "warning: probe order mf1 in tokyo was filled: 1 of BTC-USDT bought at 2, and sold again"],
    ]);
  });

  test("P10: a pager that is not there delays nothing, and is reported", async () => {
    stage.pager.lose(100);
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "promoted" });
    expect(kinds()).toContain("undelivered");
  });

  // argo-rollouts#2117: a leader that lost its lease went on beside the next one.
  test("P3: a conductor that lost its lease sends nothing more", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, () => kinds().length > 12);
    stage.lease.overtake("r1");
    const records = kinds().length;
    await expect(ended).rejects.toMatchObject({ code: "LEASE_LOST" });
    await stage.clock.advance(5_000);
    expect(kinds().length).toBe(records);
  });

  test("P1: what could not be written down is not done", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, () => kinds().length > 8);
    stage.store.fillDisk();
    await play(ended);
    await expect(ended).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
    expect(stage.watcher.stopped()).toBe(true);
  });

  test("an undo that a person leaves half done is paged and sends nothing more; its journal says where it stands", async () => {
    const { conducted, ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, () => kinds().length > 14);
    conducted.ask("leave", "SIGINT");
    stage.isBroken = () => true;
    conducted.ask("undo", "ops");
    const isUndoing = () => replay(stage.store.durable("r1")).phase.kind === "confirming";
    await play(ended, isUndoing);
    conducted.ask("leave", "SIGINT");
    await play(ended);
    await expect(ended).rejects.toMatchObject({ code: "UNDO_LEFT", hint: "go on with it: midflight resume r1" });
    expect(stage.pager.delivered.at(-1)?.text).toContain("leaves the undo half done");
    expect(isUndoing()).toBe(true);
    const records = kinds().length;
    await stage.clock.advance(5_000);
    expect(kinds().length).toBe(records);
  });

  test("past the point of no return the backup plan's programs run, fenced", async () => {
    const isContracting = () =>
      stage.store
        .durable("r1")
        .some((record) =>
          entryOf(record).effects.some((effect) => effect.kind === "migrate" && effect.names.includes("0002_contract")),
        );
    stage.isBroken = () => isContracting() && stage.runner.orders.length === 0;
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, isContracting);
    stage.watcher.say({ state: "failing", reason: "amend fails" });
    await play(ended, () => stage.runner.orders.length > 0);
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "backed-up" });
    expect(stage.runner.orders[0]).toMatchObject({ argv: ["rebuild"], env: { MIDFLIGHT_RUN: "r1" } });
  });
});
