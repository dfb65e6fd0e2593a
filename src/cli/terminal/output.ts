import type { CliIo } from "../io.ts";

export type OutputKind = "live" | "lines" | "json";

/** By option, then CI variables, then a terminal that knows its width. Some CI systems run jobs in a terminal. */
export function outputKind(io: CliIo, options: { readonly output?: string; readonly json?: boolean }): OutputKind {
  if (options.json === true) return "json";
  if (options.output === "live" || options.output === "lines" || options.output === "json") return options.output;
  if ((io.env["CI"] ?? "") !== "" || (io.env["BUILDKITE"] ?? "") !== "" || io.env["TERM"] === "dumb") return "lines";
  return io.stdout.isTTY && io.stdout.columns > 0 ? "live" : "lines";
}

/** NO_COLOR wins over FORCE_COLOR; a stream that is no terminal gets no codes. */
export function hasColor(io: CliIo, stream: { readonly isTTY: boolean }): boolean {
  if ((io.env["NO_COLOR"] ?? "") !== "" || io.env["TERM"] === "dumb") return false;
  if ((io.env["FORCE_COLOR"] ?? "") !== "") return true;
  return stream.isTTY;
}
