import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { entryOf } from "./venue/entry-of.ts";
import type { TrafficOptions } from "./traffic/config.ts";
import type { TrafficReport, TrafficSummary } from "./traffic/report.ts";
import { UpgradeError } from "../errors/upgrade-error.ts";

/** The users of the venue, trading in a process of their own, so that nothing here slows them down. */
export type Users = {
  readonly pid: number | undefined;
  /** The latest report, if one came. */
  last(): TrafficReport | undefined;
  mark(name: string): void;
  /** Ends the trading; every order is compared with the venue's state. */
  stop(): Promise<TrafficSummary>;
};

/** Lets users trade. Resolves with the first report. They stop by themselves when this process dies: their standard input closes. */
export async function startUsers(options: TrafficOptions, onReport: (report: TrafficReport) => void): Promise<Users> {
  const child = spawn(process.execPath, [entryOf("traffic")], {
    env: { PATH: process.env["PATH"] ?? "", TRAFFIC: JSON.stringify(options) },
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C is for the upgrade: users trade on while it finishes its batch.
    detached: true,
  });
  let last: TrafficReport | undefined;
  let summary: TrafficSummary | undefined;
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2_000);
  });
  child.stdin.on("error", () => {});
  const first = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = parse(line);
    if (message?.kind === "traffic") {
      last = message;
      first.resolve();
      onReport(message);
    }
    if (message?.kind === "traffic-summary") summary = message;
  });
  const failed = () =>
    new UpgradeError("VENUE_UNREACHABLE", `the users' traffic ended early: ${complaint.trim() || "it said nothing"}`, {
      hint: "look at the venue's logs beside the report",
    });
  child.once("error", () => first.reject(failed()));
  child.once("close", () => {
    first.reject(failed());
    ended.resolve();
  });
  await first.promise;
  const tell = (command: object) => child.stdin.write(`${JSON.stringify(command)}\n`);
  return {
    pid: child.pid,
    last: () => last,
    mark: (name) => tell({ do: "mark", name }),
    stop: async () => {
      tell({ do: "stop" });
      await ended.promise;
      if (summary === undefined) throw failed();
      return summary;
    },
  };
}

function parse(line: string): TrafficReport | TrafficSummary | undefined {
  try {
    return JSON.parse(line) as TrafficReport | TrafficSummary;
  } catch {
    return undefined;
  }
}
