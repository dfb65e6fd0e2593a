import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProberBrief } from "../../src/adapters/guard-thread/prober/prober-brief.ts";
import type { Prober, ProberListener } from "../../src/ports/prober.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export type ChildProber = Prober & {
  /** Ends it without a word; `start` brings another life of it. */
  kill(): Promise<void>;
  revive(): void;
  /** Lines that come meanwhile are lost. */
  mute(isMuted: boolean): void;
  /** Orders that are given meanwhile do not reach it. */
  holdOrders(isHeld: boolean): void;
  /** Every line is told so many times. */
  repeat(times: number): void;
  readonly lines: readonly string[];
  readonly stderr: () => string;
};

/** `midflight probe` as a real process: orders are a file, lines its standard output. */
export function childProber(brief: ProberBrief, env: Readonly<Record<string, string>>): ChildProber {
  const folder = mkdtempSync(join(tmpdir(), "midflight-prober-"));
  writeFileSync(join(folder, "brief"), JSON.stringify(brief));
  const lines: string[] = [];
  let child: ChildProcess | undefined;
  let on: ProberListener | undefined;
  let [isMuted, isHeld, times, errors] = [false, false, 1, ""];
  const begin = (): void => {
    const begun = spawn(process.execPath, [MAIN, "probe", folder, "--left", join(folder, "left")], {
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = begun;
    begun.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    createInterface({ input: begun.stdout }).on("line", (line) => {
      lines.push(line);
      if (!isMuted) for (let turn = 0; turn < times; turn++) on?.line(line);
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = once(ending, "exit");
    ending.kill(signal);
    await gone;
  };
  return {
    lines,
    stderr: () => errors,
    start(listener) {
      on = listener;
      begin();
      return Promise.resolve();
    },
    order(text) {
      if (isHeld) return;
      writeFileSync(join(folder, "new"), text);
      renameSync(join(folder, "new"), join(folder, "orders"));
    },
    async stop() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
    kill: () => end("SIGKILL"),
    revive: begin,
    mute: (muted) => void (isMuted = muted),
    holdOrders: (held) => void (isHeld = held),
    repeat: (count) => void (times = count),
  };
}
