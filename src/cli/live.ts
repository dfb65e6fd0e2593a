import { Chalk } from "chalk";
import { Listr, type ListrTask } from "listr2";
import type { RunEvent } from "../events/event.ts";
import type { Graph } from "../graph/graph.ts";
import { rowsOf, type Row } from "../view/rows.ts";
import { statusLine, type Paint } from "../view/status-line.ts";
import type { CliIo } from "./io.ts";
import { hasColor } from "./output.ts";
import type { Renderer } from "./renderer.ts";

/** At most five redraws a second; the guard judges in a thread of its own meanwhile. */
const REDRAW_MS = 200;

type Handle = { output: string; title: string };
type Gate = { readonly promise: Promise<void>; readonly open: (error?: Error) => void };

/** The live tree: a row a step or wave, under it what is happening now and how users fare. */
export function liveRenderer(io: CliIo, graph: Graph): Renderer {
  const paint = painter(hasColor(io, io.stdout));
  const rows = rowsOf(graph);
  const gates = rows.map(() => gate());
  const undo = gate();
  const over = gate();
  const state = { now: "looking at what is there", status: "", handle: undefined as Handle | undefined, at: -1, isTripped: false, isEnded: false };
  const refresh = () => {
    if (state.handle !== undefined) state.handle.output = [state.now, state.status].filter((line) => line !== "").join("\n");
  };
  const enter = (task: Handle) => {
    state.handle = task;
    refresh();
  };
  const list = new Listr<unknown>([...rows.map((row, index) => rowTask(row, index, gates, state, enter)), undoTask(undo, over, state, enter)], {
    concurrent: false,
    exitOnError: false,
    collectErrors: false,
    renderer: "default",
    rendererOptions: { collapseErrors: false, showErrorMessage: false, suffixSkips: false },
    fallbackRenderer: "simple",
  });
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
    },
  };
}

type State = { now: string; status: string; handle: Handle | undefined; at: number; isTripped: boolean; isEnded: boolean };

function rowTask(row: Row, index: number, gates: readonly Gate[], state: State, enter: (task: Handle) => void): ListrTask<unknown> {
  return {
    title: row.title,
    skip: () => (state.isTripped || state.isEnded) && index > state.at,
    task: async (_context, task) => {
      state.at = index;
      enter(task);
      await gates[index]?.promise;
    },
    rendererOptions: { outputBar: 4 },
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
    rendererOptions: { outputBar: 4 },
  };
}

function onEvent(event: RunEvent, graph: Graph, state: State, act: { readonly reach: (index: number) => void; readonly turnBack: () => void; readonly finish: (text: string) => void }): void {
  state.now = event.message;
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
