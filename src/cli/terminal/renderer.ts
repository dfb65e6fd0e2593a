import type { Graph } from "../../graph/graph.ts";
import type { RunEvent, RunEventOf } from "../../events/event.ts";
import { jsonOf, versionLine } from "../../view/json.ts";
import { lineOf } from "../../view/lines.ts";
import type { CliIo } from "../io.ts";
import type { OutputKind } from "./output.ts";

/** Shows a run while it happens. */
export type Renderer = {
  event(event: RunEvent): void;
  pulse(pulse: RunEventOf<"pulse">): void;
  /** Leaves the terminal as it should stay. */
  end(): Promise<void>;
};

/** JSON lines carry a pulse a second, so that a stream of hours stays readable. */
const PULSE_EVERY_MS = 1_000;

export async function rendererFor(kind: OutputKind, io: CliIo, graph: Graph): Promise<Renderer> {
  switch (kind) {
    case "json":
      return jsonRenderer(io);
    case "lines":
      return linesRenderer(io);
    case "live": {
      const { liveRenderer } = await import("./live.ts");
      return liveRenderer(io, graph);
    }
  }
}

function jsonRenderer(io: CliIo): Renderer {
  let nextPulse = 0;
  io.print(versionLine(io.version));
  return {
    event: (event) => io.print(jsonOf(event)),
    pulse: (pulse) => {
      const at = Date.parse(pulse.at);
      if (at < nextPulse) return;
      nextPulse = at + PULSE_EVERY_MS;
      io.print(jsonOf(pulse));
    },
    end: () => Promise.resolve(),
  };
}

const linesRenderer = (io: CliIo): Renderer => ({
  event: (event) => {
    const line = lineOf(event);
    if (line !== undefined) io.print(line);
  },
  pulse: () => {},
  end: () => Promise.resolve(),
});
