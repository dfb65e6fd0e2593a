import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import type { Verdict } from "../../src/guard/verdict.ts";
import { fakeWatcher } from "../fakes/watcher.ts";
import { guardOf, PREFIX, watchedVenue } from "../fakes/watched-venue.ts";
import { watcherContract } from "./watcher.ts";
import type { WatchedInstance } from "../../src/ports/watcher.ts";

const SYSTEM_ERROR = { code: "50026", http: 500 };

watcherContract("the guard's thread", async () => {
  const watcher = guardThread();
  const venue = await watchedVenue(watcher, [{ region: "tokyo", old: 2, usersPerSec: 60 }]);
  const server = venue.server("tokyo");
  return {
    watcher,
    verdicts: () => venue.verdicts,
    start: () => venue.start(),
    until: (state) => venue.until(state),
    failNew: (fails) => server.fault(fails ? [{ instances: ["tokyo-new"], share: 0.5, how: SYSTEM_ERROR }] : []),
    failAll: (fails) => server.fault(fails ? [{ share: 0.5, how: SYSTEM_ERROR }] : []),
    before: venue.before,
    fresh: venue.dark("tokyo"),
    close: () => venue.close(),
  };
});

watcherContract("the fake", async () => {
  const ill = { fresh: false, all: false };
  const verdicts: Verdict[] = [];
  const watcher = fakeWatcher({
    isHealthy: () => !ill.all,
    proof: () =>
      ill.all
        ? undefined
        : ill.fresh
          ? { kind: "refuted", reason: "amend on tokyo-new: 5 of 9 failed", outcomes: 9, failed: 5, ms: 100 }
          : { kind: "proved", outcomes: 276, ms: 100 },
  });
  const instance = (id: string, side: "new" | "old"): WatchedInstance => ({
    id,
    side,
    component: "gateway",
    region: "tokyo",
    release: side === "new" ? "gateway@2.0" : "gateway@1.0",
    url: "http://127.0.0.1:9",
    inTraffic: side === "old",
  });
  return {
    watcher,
    verdicts: () => verdicts,
    start: async () => {
      await watcher.start(
        { guard: guardOf(), regions: [{ region: "tokyo", accounts: [] }], orderPrefix: PREFIX },
        { verdict: (verdict) => void verdicts.push(verdict), pulse: () => undefined },
      );
      watcher.say({ state: "healthy" });
    },
    until: (state) =>
      watcher.verdict().state === state
        ? Promise.resolve(watcher.verdict())
        : Promise.reject(new Error(`the fake says ${watcher.verdict().state}`)),
    failNew: (fails) => void (ill.fresh = fails),
    failAll: (fails) => {
      ill.all = fails;
      watcher.say({ state: fails ? "disturbed" : "healthy" });
      watcher.look();
    },
    before: [instance("tokyo-0", "old")],
    fresh: instance("tokyo-new", "new"),
    close: () => watcher.stop(),
  };
});
