import { CATALOG, EXIT } from "../../errors/catalog.ts";
import { conduct, type Conduct, type Start } from "../../runtime/conduct.ts";
import type { Custody, World } from "../../runtime/world.ts";
import { isTakingBack } from "../../engine/phases/asked.ts";
import { undoPlan } from "../../engine/undo-items.ts";
import type { Run } from "../../engine/run.ts";
import { narrator } from "../../events/narrator.ts";
import type { RunEvent } from "../../events/event.ts";
import { redactor } from "../../events/redact.ts";
import { utc } from "../../events/utc.ts";
import { report } from "../../view/report.ts";
import { plain, statusLine } from "../../view/status-line.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { listenToMailbox } from "./mailbox.ts";
import type { OutputKind } from "../terminal/output.ts";
import { readRun } from "./read-run.ts";
import { rendererFor } from "../terminal/renderer.ts";
import type { RunStore } from "../../ports/journal.ts";

export type Session = {
  readonly io: CliIo;
  readonly world: World;
  readonly custody: Custody;
  readonly start: Start;
  readonly output: OutputKind;
  readonly secrets: readonly string[];
  /** Asked as soon as the run is open. */
  readonly ask?: { readonly what: "undo"; readonly by: string; readonly because?: string };
  /** Leaves the closing lines to the caller. */
  readonly isQuiet?: boolean;
  readonly onConduct?: (conducted: Conduct) => void;
  /** Told every event, as a second reader. */
  readonly onEvent?: (event: RunEvent) => void;
};

/** Conducts a run in the foreground: shows it, hears Ctrl-C and the mailbox, writes the report, and gives the exit status. */
export async function runSession(session: Session): Promise<{ readonly status: ExitStatus; readonly run: Run }> {
  const { io, world, custody, start } = session;
  const redact = redactor(session.secrets);
  const graph = start.kind === "new" ? start.opened.graph : start.run.graph;
  let renderer = await rendererFor(session.output, io, graph);
  let before: Run | undefined = start.kind === "revived" ? start.run : undefined;
  const narrate = narrator(before);
  const tell = (event: RunEvent) => {
    const clean: RunEvent = { ...event, message: redact(event.message) };
    renderer.event(clean);
    session.onEvent?.(clean);
  };
  const conducted = conduct(world, custody, start, {
    recorded: (entry, run) => {
      for (const event of narrate(entry, run)) tell(event);
      before = run;
    },
    pulse: (pulse) => {
      const event: RunEvent = {
        kind: "pulse",
        at: utc(pulse.at),
        run: before?.id ?? "",
        message: statusLine(pulse, plain),
        operationsPerSec: pulse.operationsPerSec,
        failed: pulse.failed,
        streams: pulse.streams,
        ...(pulse.schedule === undefined ? {} : { probeLagP99Ms: pulse.schedule.lagP99Ms }),
      };
      renderer.pulse(event);
      session.onEvent?.(event);
    },
  });
  session.onConduct?.(conducted);
  if (session.ask !== undefined) conducted.ask(session.ask.what, session.ask.by, session.ask.because);
  const stopSignals = hearSignals(io, conducted, {
    current: () => before,
    // A tree that redraws itself leaves no room for a question.
    stepAside: async () => {
      if (session.output !== "live") return;
      const live = renderer;
      renderer = await rendererFor("lines", io, graph);
      await live.end();
    },
  });
  const stopMailbox = listenToMailbox(custody.store, before?.id ?? runIdOf(start), conducted);
  try {
    const run = await conducted.finished;
    await renderer.end();
    const path = await writeReport(custody.store, run.id, redact);
    if (session.isQuiet !== true) farewell(io, session.output, run, path);
    return { status: exitOf(run), run };
  } catch (error) {
    await renderer.end();
    throw error;
  } finally {
    stopSignals();
    stopMailbox();
    await custody.journal.close();
    await custody.lease.release();
  }
}

const runIdOf = (start: Start): string => (start.kind === "new" ? start.opened.run : start.run.id);

type Stage = { readonly current: () => Run | undefined; readonly stepAside: () => Promise<void> };

/** Once: finish the batch and halt. Again: take everything back. While taking back, only the run's name, typed, stops it. */
function hearSignals(io: CliIo, conducted: Conduct, stage: Stage): () => void {
  let count = 0;
  let isAsking = false;
  return io.onSignal((signal) => {
    // Who reads along may leave; users still need the run.
    if (signal === "SIGPIPE") return;
    const run = stage.current();
    if (run !== undefined && isTakingBack(run)) {
      if (isAsking) return;
      isAsking = true;
      void askForName(io, conducted, { run: run.id, signal, stepAside: stage.stepAside }).finally(() => {
        isAsking = false;
      });
      return;
    }
    count += 1;
    if (count === 1) {
      io.say(`${signal}: finishing the batch under way, then halting. Again: take everything back.`);
      conducted.ask("halt", signal);
      return;
    }
    io.say(`${signal} again: taking everything back.`);
    conducted.ask("undo", signal);
  });
}

/** An undo that is left half done leaves users with two releases: nobody does that by pressing a key once too often. */
async function askForName(
  io: CliIo,
  conducted: Conduct,
  {
    run,
    signal,
    stepAside,
  }: { readonly run: string; readonly signal: string; readonly stepAside: () => Promise<void> },
): Promise<void> {
  if (!io.stdin.isTTY) {
    io.say(
      `${signal}: an undo is never broken off without the run's name, and there is no terminal to type it at. To leave it half done all the same, end this process by its id and later run: midflight resume ${run}`,
    );
    return;
  }
  await stepAside();
  io.say(
    `${signal}: everything is being taken back, and goes on while you read this. To leave it half done, type the run's name: ${run}`,
  );
  const answer = await io.question("Name: ");
  if (answer?.trim() === run) conducted.ask("leave", signal);
  else io.say("That is not its name: the undo goes on.");
}

/** Exit status of a run that is over. */
export function exitOf(run: Run): ExitStatus {
  const { phase } = run;
  if (phase.kind === "halted")
    return phase.code in CATALOG ? CATALOG[phase.code as keyof typeof CATALOG].exit : EXIT.halted;
  if (phase.kind !== "ended") return EXIT.halted;
  switch (phase.outcome) {
    case "promoted":
    case "unchanged":
      return EXIT.done;
    case "undone":
    case "backed-up":
      return EXIT.undone;
    case "stranded":
      return EXIT.stranded;
    case "refused":
      return EXIT.refused;
  }
}

export async function writeReport(
  store: RunStore,
  id: string,
  redact: (text: string) => string,
  asUsersSawIt?: string,
): Promise<string> {
  const { summary, events } = await readRun(store, id);
  const text = report({
    summary: summary(),
    events: events(),
    ...(asUsersSawIt === undefined ? {} : { asUsersSawIt }),
  });
  return store.putFile(id, "report.md", redact(text));
}

function farewell(io: CliIo, output: OutputKind, run: Run, reportPath: string): void {
  if (output === "json") return;
  const { phase } = run;
  const next =
    phase.kind === "halted" ? `\nGo on:     midflight resume ${run.id}\nTake back: midflight rollback ${run.id}` : "";
  const back =
    phase.kind === "ended" && phase.outcome === "promoted" && undoPlan(run).beyond === undefined
      ? `\nTake back: midflight rollback ${run.id}`
      : "";
  io.say(`Report:    ${reportPath}${next}${back}`);
}
