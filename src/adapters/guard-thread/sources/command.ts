import type { WatchedSource } from "../../../ports/watcher.ts";
import type { CountedBy } from "../counters.ts";
import { startCountBins, type LineOutcome } from "./count-bins.ts";
import { cutLines } from "./lines.ts";
import type { LiveSink, LiveSource, SourceClock } from "./live-source.ts";
import { placing } from "./placing.ts";
import { brief } from "./brief.ts";
import { startSight } from "./sight-told.ts";
import { supervise } from "./supervised.ts";

export type CommandOptions = Extract<WatchedSource, { kind: "command" }> & CountedBy & SourceClock & LiveSink;

const MOST_CHARACTERS = 65_536;
const LOOK_EVERY_MS = 100;

/** Why nothing is seen, the weightier after the lighter: a program that ended is not silent besides. */
type Trouble = "nothing yet" | "silent" | "wrong line" | "ended";
const WEIGHT: Readonly<Record<Trouble, number>> = { "nothing yet": 0, silent: 1, "wrong line": 2, ended: 3 };

/**
 * Runs a program for as long as the guard watches, and counts what it prints, a JSON object a line: counts of operations since the line that
 * closed the bin before, and a line without a count, `{}` or `{"at": <ms since the epoch>}`, that closes the bin. Only whole bins count; a program
 * that ends, hangs or prints something else sees nothing until it has closed the next whole one.
 */
export const startCommand = (options: CommandOptions): LiveSource => {
  const { now, regions, silentAfterMs } = options;
  const name = `\`${brief(options.argv.join(" "))}\``;
  const sight = startSight(options, `${name} has told nothing yet`);
  let trouble: Trouble | undefined = "nothing yet";
  let placeOf = placing([], regions);
  let heardAt = now();

  const blind = (kind: Trouble, why: string): void => {
    // The first wrong line is told, and not each of a thousand.
    if (trouble !== undefined && WEIGHT[kind] <= WEIGHT[trouble] && kind !== "ended") return;
    trouble = kind;
    sight.tell({ regions, why: `${name} ${why}` });
  };

  const note = (outcome: LineOutcome): void => {
    switch (outcome.kind) {
      case "gathering":
        return;
      case "wrong":
        return blind("wrong line", `prints what is no count: ${brief(outcome.why)}`);
      case "flooded":
        return program.end(`was ended: it prints too much: ${brief(outcome.why)}`);
      case "bin":
        heardAt = now();
        trouble = undefined;
        sight.tell(undefined);
        return options.onBin(outcome.bin);
    }
  };

  const program = supervise({
    argv: options.argv,
    cwd: options.cwd,
    env: options.env,
    onStart() {
      const bins = startCountBins(options, () => placeOf);
      return cutLines(MOST_CHARACTERS, (line) => note(bins.line(line, now())));
    },
    onEnd: (why) => blind("ended", why),
  });

  const timer = setInterval(() => {
    // What waits to be read while this thread is held up is not silence, but not for ever.
    const silentMs = now() - heardAt;
    const isHeldUp = options.lagSince(performance.now() - LOOK_EVERY_MS) >= LOOK_EVERY_MS;
    if (silentMs > (isHeldUp ? 2 : 1) * silentAfterMs)
      blind("silent", `has closed no whole bin for ${silentAfterMs / 1000} s`);
  }, LOOK_EVERY_MS);

  return {
    instances(instances) {
      placeOf = placing(instances, regions);
    },
    // It counts users alone; where it does not, nobody knows how it names instances.
    forgive: () => undefined,
    async stop() {
      clearInterval(timer);
      await program.stop();
    },
  };
};
