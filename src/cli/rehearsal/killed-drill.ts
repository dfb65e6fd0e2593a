import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { RunEvent } from "../../events/event.ts";
import type { WalkOrder } from "../../rehearsal/drills-of.ts";
import type { DrillRun } from "../../rehearsal/stage.ts";
import { DrillLog } from "./drill-log.ts";
import type { CliIo } from "../io.ts";
import { reviveRun } from "../run/revive-run.ts";
import { ownScript } from "../shipped.ts";
import { patienceWith } from "./patience.ts";
import { mute, type StageOptions } from "./stage-options.ts";

/** The conductor is a process of its own and really dies; the next one takes everything back from the journal alone. */
export async function playKilled(order: WalkOrder, options: StageOptions, signal: AbortSignal): Promise<DrillRun> {
  const { io, loaded, state } = options;
  const startedAt = performance.now();
  const { plan, environment, releases } = loaded.given;
  const child = spawn(
    process.execPath,
    [
      ownScript(),
      "upgrade",
      plan,
      "--env",
      environment,
      "--releases",
      releases,
      "--state",
      state.dir,
      "--soaks-at-most",
      `${loaded.plan.rehearsal.drillSoakMs}ms`,
      "--json",
      "--yes",
    ],
    { cwd: io.cwd, env: definedOf(io.env), stdio: ["ignore", "pipe", "pipe"] },
  );
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString()}`.slice(-2_000);
  });
  const log = new DrillLog(order);
  const kill = () => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const patience = patienceWith(loaded, state.clock, (why) => {
    log.text = why;
    kill();
  });
  let id: string | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = eventFrom(line);
    if (event === undefined) return;
    if (id === undefined) void options.onRun(event.run).catch(() => {});
    id ??= event.run;
    options.onEvent(event);
    log.heed(event);
    patience.heed(event);
    for (const strike of order.strikes) {
      const when = event.kind === "move-started" ? "started" : event.kind === "move-done" ? "done" : undefined;
      if (when !== strike.when || !("move" in event) || event.move !== strike.move) continue;
      kill();
      log.struck(strike);
    }
  });
  await new Promise<void>((resolve) => child.once("close", () => resolve()));
  patience.end();
  signal.removeEventListener("abort", kill);
  if (id === undefined)
    throw new UpgradeError("REHEARSAL_FAILED", `a conductor for a drill could not start: ${complaint.trim()}`, {
      hint: "mend what it says, and rehearse again",
    });
  const { run } = await reviveRun({
    permit: { kind: "certificate" },
    io: mute(io),
    state,
    run: id,
    output: "lines",
    ask: { what: "undo", by: "rehearsal", because: "drill: its conductor was killed" },
  });
  signal.throwIfAborted();
  return { ...log.told(run, performance.now() - startedAt), dark: [] };
}

const definedOf = (env: CliIo["env"]): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

function eventFrom(line: string): RunEvent | undefined {
  try {
    const parsed = JSON.parse(line) as RunEvent;
    return typeof parsed.run === "string" && parsed.kind !== "pulse" ? parsed : undefined;
  } catch {
    return undefined;
  }
}
