import { messageOf } from "../../../errors/message-of.ts";
import { spawn } from "node:child_process";
import { brief } from "./brief.ts";

export type SupervisedOptions = {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** A program has begun. What it prints goes to the function that is returned. */
  readonly onStart: () => (chunk: string) => void;
  /** It has ended, or could not begin. */
  readonly onEnd: (why: string) => void;
};

/** A program that is kept running, in a process group of its own. */
export type Supervised = {
  /** Ends what runs now, for the reason given; it is started again as after any end. */
  end(why: string): void;
  /** Ends it for good: SIGTERM, then SIGKILL to its whole group. */
  stop(): Promise<void>;
};

/** From SIGTERM to SIGKILL. The guard's thread has a few seconds to stop in. */
const GRACE_MS = 1_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Whoever ran for this long has not failed at its start. */
const STEADY_MS = 30_000;
/** How long output may still come after the program ended: something it left behind may hold the pipe for ever. */
const LAST_WORDS_MS = 100;

/** Starts a program, and again whenever it ends, with growing pauses. `node` as first word means the Node that runs midflight. */
export const supervise = (options: SupervisedOptions): Supervised => {
  let running: Running | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const start = (): void => {
    const startedAt = performance.now();
    running = run(options, (why) => {
      running = undefined;
      if (isStopped) return;
      if (performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      options.onEnd(why);
      timer = setTimeout(start, pauseMs);
      pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
    });
  };

  start();
  return {
    end: (why) => running?.end(why),
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running?.stop();
    },
  };
};

type Running = { end(why: string): void; stop(): Promise<void> };

const run = (options: SupervisedOptions, onEnd: (why: string) => void): Running => {
  const ended = Promise.withResolvers<void>();
  const words = lastWords();
  const onOutput = options.onStart();
  let child: ReturnType<typeof spawned> | undefined;
  let reason: string | undefined;
  let isOver = false;
  const over = (why: string): void => {
    if (isOver) return;
    isOver = true;
    signal(child?.pid, "SIGKILL");
    setTimeout(() => {
      for (const stream of [child?.stdin, child?.stdout, child?.stderr]) stream?.destroy();
      ended.resolve();
      onEnd(`${reason ?? why}${words.told()}`);
    }, LAST_WORDS_MS);
  };

  try {
    child = spawned(options);
    child.on("error", (error) => over(whyNot(error)));
    child.on("exit", (status, killedBy) =>
      over(status === null ? `was ended by ${killedBy ?? "a signal"}` : `ended with status ${status}`),
    );
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => onOutput(chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => words.add(chunk));
  } catch (error) {
    // Such as words that are too long for the system.
    over(whyNot(error));
  }
  return {
    end(why) {
      reason ??= why;
      signal(child?.pid, "SIGKILL");
    },
    async stop() {
      signal(child?.pid, "SIGTERM");
      const late = setTimeout(() => signal(child?.pid, "SIGKILL"), GRACE_MS);
      await ended.promise;
      clearTimeout(late);
    },
  };
};

const spawned = ({ argv: [word = "", ...args], cwd, env }: SupervisedOptions) =>
  spawn(word === "node" ? process.execPath : word, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    // Its standard input ends when midflight is gone, however that came.
    stdio: ["pipe", "pipe", "pipe"],
  });

const signal = (group: number | undefined, name: NodeJS.Signals): void => {
  try {
    if (group !== undefined) process.kill(-group, name);
  } catch {
    // The group is empty.
  }
};

const whyNot = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "cannot be started: there is no such program, or no such folder";
  if (code === "EACCES") return "cannot be started: this user may not run it";
  return `cannot be started: ${brief(messageOf(error))}`;
};

const MOST_KEPT = 4_000;

/** The last line that a program printed to its standard error. */
const lastWords = () => {
  let kept = "";
  return {
    add(chunk: string): void {
      kept = (kept + chunk).slice(-MOST_KEPT);
    },
    told(): string {
      const last = brief(kept.trimEnd().split("\n").at(-1) ?? "");
      return last === "" ? "" : `; its last words: ${last}`;
    },
  };
};
