import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { fileRunStore } from "../../src/adapters/file/run-store.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { CliIo, Signal } from "../../src/cli/io.ts";
import { watchRun } from "../../src/cli/run/watch-run.ts";
import { begin } from "../../src/engine/begin.ts";
import { decide } from "../../src/engine/decide.ts";
import type { Fact } from "../../src/engine/fact.ts";
import type { Run } from "../../src/engine/run.ts";
import type { RunStore } from "../../src/ports/journal.ts";
import { kubeApi } from "../fakes/kube-api.ts";
import { kubeRunStore } from "../fakes/kube-state.ts";
import { graphOf } from "../unit/engine/graph.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "midflight-attach-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A terminal that remembers what was printed, and that can be told to interrupt. */
function terminal() {
  const printed: string[] = [];
  const listeners = new Set<(signal: Signal) => void>();
  const io = {
    print: (text: string) => void printed.push(text),
    say: () => undefined,
    version: "test",
    onSignal: (listener: (signal: Signal) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } as unknown as CliIo;
  return { io, printed, listeners, interrupt: () => [...listeners].forEach((listener) => listener("SIGINT")) };
}

/** A conductor, as far as its journal tells. */
async function conductor(store: RunStore) {
  const journal = await store.create("r1");
  const opened = {
    kind: "opened" as const,
    at: 1,
    run: "r1",
    graph: graphOf(),
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch: 1,
  };
  const first = begin(opened);
  let run: Run = first.run;
  await journal.append({ at: 1, fact: opened, effects: first.effects });
  return {
    async record(fact: Fact): Promise<void> {
      const decision = decide(run, fact);
      run = decision.run;
      await journal.append({ at: fact.at, fact, effects: decision.effects });
    },
    close: () => journal.close(),
  };
}

describe.each([
  { name: "in files", make: async () => fileRunStore({ dir: await folder(), clock: systemClock }) },
  {
    name: "in Kubernetes",
    make: async () => {
      const api = await kubeApi();
      cleanups.push(() => api.close());
      return kubeRunStore(api.url, await folder());
    },
  },
])("whoever attaches to a run that is kept $name", ({ make }) => {
  test("is told what was and what comes, and how it ends", async () => {
    const store = await make();
    const { record, close } = await conductor(store);
    const { io, printed } = terminal();
    const watched = watchRun({ io, store, run: "r1", output: "json" });
    // The version, and what the first fact has to tell.
    await expect.poll(() => printed.length, { timeout: 5_000 }).toBeGreaterThan(1);
    const before = printed.length;
    await record({ kind: "asked", what: "halt", by: "alice", at: 2 });
    expect(await watched).toMatchObject({ isLeft: false, run: { phase: { kind: "ended", outcome: "refused" } } });
    expect(printed.slice(before).join("\n")).toContain("stopped by alice");
    await close();
  });

  test("leaves by an interrupt, and the run goes on", async () => {
    const store = await make();
    const { record, close } = await conductor(store);
    const { io, printed, listeners, interrupt } = terminal();
    const watched = watchRun({ io, store, run: "r1", output: "json" });
    await expect.poll(() => printed.length, { timeout: 5_000 }).toBeGreaterThan(1);
    interrupt();
    expect(await watched).toMatchObject({ isLeft: true, run: { phase: { kind: "preparing" } } });
    expect(listeners.size).toBe(0);
    await record({ kind: "asked", what: "halt", by: "alice", at: 2 });
    expect(await store.read("r1")).toHaveLength(2);
    await close();
  });
});
