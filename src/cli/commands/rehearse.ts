import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { SigningKey } from "../../rehearsal/certificate/key.ts";
import { isComplete, type Rehearsal } from "../../rehearsal/rehearsal.ts";
import { summary, verdictOf } from "../../rehearsal/report/text.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { signingKey } from "../files/keys.ts";
import { load } from "../files/load.ts";
import { reportOf } from "../rehearsal/files.ts";
import { rehearsalChecks } from "../rehearsal/checks.ts";
import { rehearsalProgress } from "../rehearsal/progress.ts";
import { rehearsePlan } from "../rehearsal/rehearse-plan.ts";
import { stateDirOf } from "../run/state-dir.ts";
import { fileState } from "../wiring/state.ts";

type Options = {
  readonly env?: string;
  readonly for?: string;
  readonly releases?: string;
  readonly state?: string;
  readonly quick?: boolean;
  readonly resume?: boolean;
  readonly key?: string;
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
  const key = options.key === undefined ? undefined : await signingKey(io, options.key);
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
    const { rehearsal, id, certificate } = await rehearsePlan({
      io,
      demo,
      production,
      state,
      checks: rehearsalChecks({
        io,
        demo,
        production,
        state,
        say: (text) => options.json === true || io.say(`  ${text}`),
      }),
      isQuick: options.quick === true,
      isResumed: options.resume === true,
      ...(key === undefined ? {} : { key }),
      progress: rehearsalProgress(io, options.json === true),
      signal: stop.signal,
    });
    const report = state.shelf.pathOf(reportOf(id, "report.html"));
    if (options.json === true)
      io.print(
        JSON.stringify({ kind: "rehearsal-summary", verdict: verdictOf(rehearsal), report, certificate, ...rehearsal }),
      );
    else
      io.print(
        `\n${summary(rehearsal)}\nReport:      ${report}\n${certificate === undefined ? noCertificate(rehearsal, key) : `Certificate: ${certificate}`}`,
      );
    const isFine = rehearsal.isQuick
      ? rehearsal.drills.every(({ outcome }) => outcome !== "failed")
      : isComplete(rehearsal);
    return isFine ? EXIT.done : EXIT.refused;
  } finally {
    unhear();
  }
}

const noCertificate = (rehearsal: Rehearsal, key: SigningKey | undefined): string =>
  isComplete(rehearsal) && key === undefined
    ? "Certificate: none, for no key was named: `midflight keys new`, and rehearse with --key"
    : "Certificate: none";
