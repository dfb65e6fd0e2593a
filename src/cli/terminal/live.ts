import { Chalk } from "chalk";
import { Listr, Spinner, type ListrTask } from "listr2";
import type { RunEvent } from "../../events/event.ts";
import type { Graph } from "../../graph/graph.ts";
import { rowsOf, type Row } from "../../view/rows.ts";
import { statusLine, type Paint } from "../../view/status-line.ts";
import type { CliIo } from "../io.ts";
import { hasColor } from "./output.ts";
import type { Renderer } from "./renderer.ts";

/** The spinner and the lines below a row are redrawn in turns, at most five times a second together. The guard judges in a thread of its own meanwhile. */
const REDRAW_MS = 400;
/** What happens now, and how users fare. */
const LINES = 2;

class CalmSpinner extends Spinner {
  override start(redraw?: () => void): void {
    super.start(redraw, REDRAW_MS);
  }
}

type Handle = { output: string; title: string };
type Gate = { readonly promise: Promise<void>; readonly open: (error?: Error) => void };

/** The live tree: a row a step or wave, under it what is happening now and how users fare. */
export function liveRenderer(io: CliIo, graph: Graph): Renderer {
  const paint = painter(hasColor(io, io.stdout));
  const rows = rowsOf(graph);
  const gates = rows.map(() => gate());
  const undo = gate();
  const over = gate();
  const state: State = {
    now: "looking at what is there",
    status: "waiting for the guard's first figures",
    shown: "",
    told: [],
    handle: undefined,
    at: -1,
    isTripped: false,
    isEnded: false,
  };
  const refresh = () => {
    const text = `${state.now}\n${state.status}`;
    if (state.handle === undefined || state.shown === text) return;
    state.shown = text;
    state.handle.output = text;
  };
  const enter = (task: Handle) => {
    state.handle = task;
    state.shown = "";
    refresh();
  };
  const list = new Listr<unknown>(
    [...rows.map((row, index) => rowTask(row, index, gates, state, enter)), undoTask(undo, over, state, enter)],
    {
      concurrent: false,
      exitOnError: false,
      collectErrors: false,
      // The tree would end the whole process at Ctrl-C; what a signal means, the run's session says.
      registerSignalListeners: false,
      renderer: "default",
      rendererOptions: {
        collapseErrors: false,
        showErrorMessage: false,
        suffixSkips: false,
        spinner: new CalmSpinner(),
      },
      fallbackRenderer: "simple",
    },
  );
  const done = list.run().catch(() => {});
  const timer = setInterval(refresh, REDRAW_MS);
  const reach = (index: number) => {
    for (const [at, row] of rows.entries()) if (row.last < index) gates[at]?.open();
  };
  const turnBack = () => {
    state.isTripped = true;
    for (const one of gates) one.open(new Error("turned back"));
    undo.open();
  };
  const finish = (text: string) => {
    state.now = text;
    state.isEnded = true;
    refresh();
    for (const one of gates) one.open(state.isTripped ? new Error("turned back") : undefined);
    undo.open();
    over.open();
  };
  return {
    event: (event) => onEvent(event, graph, state, { reach, turnBack, finish }),
    pulse: (pulse) => {
      state.status = statusLine(pulse, paint);
    },
    end: async () => {
      finish(state.now);
      clearInterval(timer);
      await done;
      // The tree tells what was done; why, and how it ended, stands below it.
      for (const line of state.told) io.print(line);
    },
  };
}

/** Still to be read when the tree stands still. */
const LASTING: ReadonlySet<RunEvent["kind"]> = new Set([
  "tripped",
  "held",
  "withdrawn",
  "halted",
  "ended",
  "undelivered",
  "probe-filled",
]);

type State = {
  now: string;
  status: string;
  shown: string;
  told: string[];
  handle: Handle | undefined;
  at: number;
  isTripped: boolean;
  isEnded: boolean;
};

function rowTask(
  row: Row,
  index: number,
  gates: readonly Gate[],
  state: State,
  enter: (task: Handle) => void,
): ListrTask<unknown> {
  return {
    title: row.title,
    skip: () => (state.isTripped || state.isEnded) && index > state.at,
    task: async (_context, task) => {
      state.at = index;
      enter(task);
      await gates[index]?.promise;
    },
    rendererOptions: { outputBar: LINES },
  };
}

function undoTask(undo: Gate, over: Gate, state: State, enter: (task: Handle) => void): ListrTask<unknown> {
  return {
    title: "take everything back",
    enabled: () => true,
    skip: () => !state.isTripped,
    task: async (_context, task) => {
      await undo.promise;
      enter(task);
      await over.promise;
    },
    rendererOptions: { outputBar: LINES },
  };
}

function onEvent(
  event: RunEvent,
  graph: Graph,
  state: State,
  act: {
    readonly reach: (index: number) => void;
    readonly turnBack: () => void;
    readonly finish: (text: string) => void;
  },
): void {
  if (event.kind !== "verdict") state.now = event.message;
  if (LASTING.has(event.kind)) state.told.push(event.message);
  if (event.kind === "move-started") act.reach(placeOf(graph, event.move));
  if (event.kind === "move-done") act.reach(placeOf(graph, event.move) + 1);
  if (event.kind === "tripped") act.turnBack();
  if (event.kind === "halted" || event.kind === "ended") act.finish(event.message);
}

const placeOf = (graph: Graph, id: string): number => graph.moves.findIndex((move) => move.id === id);

function gate(): Gate {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  return { promise, open: (error) => (error === undefined ? resolve() : reject(error)) };
}

function painter(isColored: boolean): Paint {
  const chalk = new Chalk({ level: isColored ? 1 : 0 });
  const styles = { good: chalk.green, bad: chalk.red, warn: chalk.yellow, dim: chalk.dim, bold: chalk.bold };
  return (style, text) => styles[style](text);
}
