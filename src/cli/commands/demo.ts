import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { STORIES } from "../../demo/stories/all.ts";
import type { AnyStory, Figures } from "../../demo/stories/story.ts";
import { tellRefusal } from "../../demo/tell-refusal.ts";
import { tell, type Telling } from "../../demo/tell.ts";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { midflightSurface } from "../demo/surface.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { outputKind } from "../terminal/output.ts";
import { number, portBaseOf, type DemoOptions } from "../demo/options.ts";
import { sweep } from "../demo/sweep.ts";
import { venueAlone } from "../demo/venue.ts";
import { shippedPlans } from "../shipped.ts";
import { unwritable } from "../terminal/write-output.ts";

export async function demo(io: CliIo, [what]: readonly string[], options: DemoOptions): Promise<ExitStatus> {
  if (what === "venue") return venueAlone(io, options);
  if (what === "sweep") return sweep(io, options);
  if (what !== undefined)
    throw new UpgradeError("USAGE", `demo knows no ${what}`, {
      hint: "`midflight demo`, `midflight demo venue` or `midflight demo --story NAME`",
    });
  const stories = chosen(options.story);
  const output = outputKind(io, options);
  const dir = resolve(io.cwd, options.dir ?? "midflight-demo");
  const ratePerSec = number(options.rate, "--rate", 300, 5_000);
  portBaseOf(options);
  await mkdir(dir, { recursive: true }).catch((cause: unknown) => {
    throw unwritable(dir, cause);
  });
  const stop = new AbortController();
  const say = (text: string) => (output === "json" ? io.say(text) : io.print(text));
  const told: Figures[] = [];
  for (const [index, story] of stories.entries()) {
    stop.signal.throwIfAborted();
    say(`\n${index + 1} of ${stories.length}  ${story.title} (${story.name}, seed ${options.seed ?? "1"})`);
    told.push(await oneStory(story, { io, options, ratePerSec, output, dir, say, stop }));
  }
  closing(io, output, told);
  return EXIT.done;
}

type Night = {
  readonly io: CliIo;
  readonly options: DemoOptions;
  readonly ratePerSec: number;
  readonly output: "live" | "lines" | "json";
  readonly dir: string;
  readonly say: (text: string) => void;
  readonly stop: AbortController;
};

async function oneStory(story: AnyStory, { io, options, ratePerSec, output, dir, say, stop }: Night): Promise<Figures> {
  // While an upgrade is under way its own session hears the signals; before and after it, a signal ends the demo.
  const unhear = io.onSignal((signal) =>
    stop.abort(
      new UpgradeError("INTERRUPTED", `${signal}: the demo was stopped`, {
        hint: "start it again with `midflight demo`",
      }),
    ),
  );
  try {
    const telling: Telling = {
      dir,
      plans: shippedPlans(),
      seed: options.seed ?? "1",
      ratePerSec,
      ...portBaseOf(options),
      ...(options.instances === undefined ? {} : { instances: number(options.instances, "--instances", 6, 12) }),
      isRehearsed: options.rehearsal !== false,
      midflight: (variables) => midflightSurface({ ...heard(io), env: { ...io.env, ...variables } }, output),
      say,
      signal: stop.signal,
    };
    return await (story.kind === "refusal" ? tellRefusal(story, telling) : tell(story, telling));
  } finally {
    unhear();
  }
}

/** A demo that nobody watches any more is over, and so is the upgrade in it. Others go on without readers. */
const heard = (io: CliIo): CliIo => ({
  ...io,
  onSignal: (listener) => io.onSignal((signal) => listener(signal === "SIGPIPE" ? "SIGHUP" : signal)),
});

function chosen(name: string | undefined): readonly AnyStory[] {
  if (name === undefined) return STORIES;
  const story = STORIES.find((one) => one.name === name);
  if (story === undefined)
    throw new UpgradeError("USAGE", `there is no story ${name}`, {
      hint: `choose one of ${STORIES.map((one) => one.name).join(", ")}`,
    });
  return [story];
}

function closing(io: CliIo, output: Night["output"], told: readonly Figures[]): void {
  if (output === "json") {
    // The users' whole account stands in the report.
    const stories = told.map(({ text: _text, summary: _summary, ...line }) => line);
    io.print(JSON.stringify({ kind: "demo-summary", stories }));
    return;
  }
  io.print("\nIncident reports:");
  for (const figures of told) io.print(`  ${figures.name.padEnd(18)} ${figures.report}`);
}
