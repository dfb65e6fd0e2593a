import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { isComplete } from "../../rehearsal/rehearsal.ts";
import { lineOf, summary, verdictOf } from "../../rehearsal/report/text.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { load } from "../load.ts";
import { reportOf } from "../rehearsal-files.ts";
import { rehearsePlan, type RehearseOrder } from "../rehearse-plan.ts";
import { stateDirOf } from "../state-dir.ts";
import { fileState } from "../wiring-state.ts";

type Options = {
  readonly env?: string;
  readonly for?: string;
  readonly releases?: string;
  readonly state?: string;
  readonly quick?: boolean;
  readonly resume?: boolean;
  readonly json?: boolean;
};

export async function rehearseCommand(
  io: CliIo,
  [file = ""]: readonly string[],
  options: Options,
): Promise<ExitStatus> {
  const given = options.releases === undefined ? {} : { releases: options.releases };
  const demo = await load(io, file, { ...given, env: options.env ?? "demo" });
  const production = await load(io, file, { ...given, env: options.for ?? "production" });
  const state = fileState(stateDirOf(io, demo.environment, options.state));
  const stop = new AbortController();
  const unhear = io.onSignal((signal) => {
    if (signal === "SIGPIPE") return;
    io.say(`${signal}: taking back the drill under way, then stopping`);
    stop.abort(
      new UpgradeError("INTERRUPTED", `${signal}: the rehearsal was stopped`, {
        hint: "start it again; nothing of production was touched",
      }),
    );
  });
  try {
    const { rehearsal, id } = await rehearsePlan({
      io,
      demo,
      production,
      state,
      checks: [],
      isQuick: options.quick === true,
      isResumed: options.resume === true,
      progress: progressOf(io, options.json === true),
      signal: stop.signal,
    });
    const report = state.shelf.pathOf(reportOf(id, "report.html"));
    if (options.json === true)
      io.print(JSON.stringify({ kind: "rehearsal-summary", verdict: verdictOf(rehearsal), report, ...rehearsal }));
    else io.print(`\n${summary(rehearsal)}\nReport:    ${report}`);
    const isFine = rehearsal.isQuick
      ? rehearsal.drills.every(({ outcome }) => outcome !== "failed")
      : isComplete(rehearsal);
    return isFine ? EXIT.done : EXIT.refused;
  } finally {
    unhear();
  }
}

/** What happens, a line each; the same facts as JSON for machines. */
function progressOf(io: CliIo, isJson: boolean): RehearseOrder["progress"] {
  if (isJson) {
    return {
      starting: (next) => io.print(JSON.stringify({ kind: "drill-started", ...next })),
      drilled: (drill) => io.print(JSON.stringify({ ...drill, kind: "drill", about: drill.kind })),
      soaking: (record) => io.print(JSON.stringify({ kind: "soaking", ...record })),
      event: () => {},
    };
  }
  let soakedS = 0;
  return {
    starting: ({ name, number, of }) => io.say(`${of === 0 ? "" : `${number}/${of} `}${name} …`),
    drilled: (drill) => io.print(lineOf(drill)),
    soaking: ({ healthyMs, askedMs }) => {
      const now = Math.floor(healthyMs / 1000);
      if (now < soakedS + 10 && healthyMs < askedMs) return;
      soakedS = now;
      io.say(`stable in demo: ${now} s of ${Math.round(askedMs / 1000)} s`);
    },
    event: () => {},
  };
}
