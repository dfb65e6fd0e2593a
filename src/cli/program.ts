import { Command, CommanderError, Option } from "commander";
import { EXIT } from "../errors/catalog.ts";
import type { CliIo, ExitStatus } from "./io.ts";

type Action = (io: CliIo, args: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<ExitStatus>;
type Load = () => Promise<Action>;

/** Parses the command line, loads the one command that it names, and runs it. Everything else stays unloaded: `--help` is quick. */
export async function program(io: CliIo, argv: readonly string[]): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.done;
  const name = io.calledAs ?? "midflight";
  const root = new Command(name)
    .description(
      "Upgrade the infrastructure under a trading venue while its users trade, and take every step back when their operations start to fail.",
    )
    .version(io.version, "-V, --version")
    .option("--no-input", "never ask anything; fail where an answer would be needed")
    .configureOutput({
      writeOut: (text) => io.print(text.replace(/\n$/, "")),
      writeErr: (text) => io.say(text.replace(/\n$/, "")),
    })
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(`${name} --help shows what there is`)
    .addHelpText("after", EXAMPLES.replaceAll("$ midflight", `$ ${name}`));
  const add = (command: Command, load: Load) => {
    command
      .exitOverride()
      .showHelpAfterError(`${name} ${command.name()} --help shows what it takes`)
      .configureOutput({
        writeOut: (text) => io.print(text.replace(/\n$/, "")),
        writeErr: (text) => io.say(text.replace(/\n$/, "")),
      });
    command.action(async (...all: unknown[]) => {
      const own = all.at(-2) as Record<string, unknown>;
      const args = all
        .slice(0, -2)
        .flat()
        .filter((one): one is string => typeof one === "string");
      status = await (await load())(io, args, { ...root.opts(), ...own });
    });
    root.addCommand(command);
  };
  for (const [command, load] of commands()) add(command, load);
  try {
    await root.parseAsync(argv, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
    throw error;
  }
}

const EXAMPLES = `
Examples:
  $ midflight demo                                        the whole story, on a venue of its own
  $ midflight init                                        a first plan and environment, with comments
  $ midflight check plans/gateway.yaml --env production
  $ midflight plan plans/gateway.yaml --env production    what would change; touches nothing
  $ midflight upgrade plans/gateway.yaml --env production

Exit status: 0 promoted or nothing to do · 1 undone, users are served · 2 changes pending · 3 bad input
             4 stranded, a person is needed · 5 refused or could not start · 6 halted, can be resumed · 70 a bug`;

/** For completion scripts. */
export const commandNames = (): readonly string[] => commands().map(([command]) => command.name());

const withEnv = (command: Command): Command =>
  command.requiredOption("-e, --env <name|file>", "environment: a name (its file lies beside the plan) or a file");
const withReleases = (command: Command): Command =>
  command.option("--releases <file>", "releases file (default: releases.yaml beside the plan)");
const withOutput = (command: Command): Command =>
  command
    .option("--json", "events as NDJSON on stdout")
    .addOption(
      new Option("--output <kind>", "how a run is shown (default: by terminal and CI)").choices([
        "live",
        "lines",
        "json",
      ]),
    );
const withState = (command: Command): Command =>
  command.option(
    "--state <dir>",
    "where runs are kept: a folder, or kubernetes:CONTEXT/NAMESPACE (default: the environment's `state`, or ./.midflight)",
  );

const withOverride = (command: Command): Command =>
  command
    .option("--without-certificate", "in an emergency: go into production without one; needs --because")
    .option("--because <text>", "why; journaled, reported, and sent to everybody who is notified");

function commands(): readonly (readonly [Command, Load])[] {
  return [
    [
      new Command("init")
        .summary("write a first plan, environment and releases file, with comments")
        .argument("[dir]", "folder", "."),
      async () => (await import("./commands/init.ts")).init,
    ],
    [
      withReleases(
        new Command("check")
          .summary("check files and say everything that is wrong with them, offline")
          .argument("<plan>", "plan file"),
      )
        .option("-e, --env <name|file>", "check together with this environment")
        .option("--json", "problems as JSON"),
      async () => (await import("./commands/check.ts")).check,
    ],
    [
      withState(
        withReleases(
          withEnv(
            new Command("plan")
              .summary("show what an upgrade would do now, and touch nothing")
              .argument("<plan>", "plan file"),
          ),
        ),
      )
        .option("--json", "as JSON")
        .option("--out <file>", "save it, with fingerprints of the world as it is now")
        .option("--detailed-exitcode", "exit with 2 when something would change"),
      async () => (await import("./commands/plan.ts")).plan,
    ],
    [
      withState(
        withReleases(
          new Command("rehearse")
            .summary("prove a plan in demo: every step, every undo, every fault, before production may run it")
            .argument("<plan>", "plan file"),
        ),
      )
        .option("-e, --env <name|file>", "environment to rehearse in, of class demo", "demo")
        .option("--for <name|file>", "environment that it is rehearsed for", "production")
        .option("--key <file>", "sign the certificate with this key, as `midflight keys new` made it")
        .option("--quick", "look only: no drills, and no certificate")
        .option("--resume", "go on with the soak of an earlier rehearsal of exactly this")
        .option("--json", "events and summary as NDJSON"),
      async () => (await import("./commands/rehearse.ts")).rehearseCommand,
    ],
    [
      withOverride(
        withState(
          withOutput(
            withReleases(
              new Command("upgrade")
                .summary("carry out a plan, guarded, and take it back when users' operations fail")
                .argument("<plan>", "plan file, or a file saved by `plan --out`"),
            ),
          ),
        ).option(
          "--certificate <file>",
          "certificate of its rehearsal (default: the newest that fits, from the state folder)",
        ),
      )
        .option("-e, --env <name|file>", "environment: a name (its file lies beside the plan) or a file")
        .option(
          "--in-cluster",
          "let a Job in the cluster conduct it (the environment's `inCluster`), and follow it from here",
        )
        .option("--soaks-at-most <duration>", "in a demo environment: let no soak of the plan last longer, such as 10s")
        .option("--yes", "do not ask before the start"),
      async () => (await import("./commands/upgrade.ts")).upgrade,
    ],
    [
      withOverride(
        withState(
          withOutput(
            new Command("resume")
              .summary("go on with a run that halted or whose conductor died")
              .argument("[run]", "run id (default: the newest that can be resumed)"),
          ),
        ),
      ).option("--yes", "do not ask"),
      async () => (await import("./commands/resume.ts")).resume,
    ],
    [
      withState(
        withOutput(
          new Command("rollback")
            .summary("take a run back: under way, halted, or promoted and not past its point of no return")
            .argument("<run>", "run id"),
        ),
      )
        .option("--because <text>", "reason, for the journal")
        .option("--yes", "do not ask"),
      async () => (await import("./commands/rollback.ts")).rollback,
    ],
    [
      new Command("keys")
        .summary("make the pair of keys that certificates are signed with")
        .argument("<action>", "`new`")
        .option("--out <dir>", "folder for both halves", "keys")
        .option("--name <name>", "name of the pair", "rehearsal"),
      async () => (await import("./commands/keys.ts")).keys,
    ],
    [
      withState(
        withReleases(
          new Command("certificate")
            .summary("`show` what a certificate says, or `verify` that it clears a plan")
            .argument("<action>", "`show` or `verify`")
            .argument("<file>", "the certificate")
            .argument("[plan]", "with verify: the plan file"),
        ),
      )
        .option("-e, --env <name|file>", "with verify: the environment that it should clear")
        .option("--json", "as JSON"),
      async () => (await import("./commands/certificate.ts")).certificate,
    ],
    [
      withState(
        withReleases(
          new Command("parity")
            .summary("show where two environments differ, or one and a snapshot of it; only reads")
            .argument("<first>", "environment, or a file that `midflight snapshot` wrote")
            .argument("<second>", "the other one"),
        ),
      )
        .option("--plan <file>", "only what this plan depends on; names are those of files beside it")
        .option("--all", "also what is only good to know, and lists of any length")
        .option("--json", "as JSON"),
      async () => (await import("./commands/parity.ts")).parity,
    ],
    [
      withState(new Command("guard").summary("watch users' operations without an upgrade, or judge a recording again"))
        .option("-e, --env <name|file>", "environment to watch: a name or a file")
        .option("--plan <file>", "judge by the `guard` of this plan")
        .option("--for <time>", "end after this, such as 10m (default: Ctrl-C)")
        .option("--record <file>", "keep what the guard is told, to judge it again")
        .option("--replay <file>", "judge a recording: guard.ndjson of a run's folder, or of --record")
        .option("--json", "verdicts and counts as NDJSON"),
      async () => (await import("./commands/guard.ts")).guard,
    ],
    [
      withState(
        withEnv(new Command("snapshot").summary("write how an environment is set up: no rows, no secrets; only reads")),
      )
        .option("--plan <file>", "the environment's file lies beside this plan")
        .option("--out <file>", "write it there, for its owner alone"),
      async () => (await import("./commands/snapshot.ts")).snapshot,
    ],
    [
      withReleases(
        withEnv(
          new Command("rbac")
            .summary("print the least rights that a plan needs in Kubernetes, as manifests; asks no cluster")
            .argument("<plan>", "plan file"),
        ),
      )
        .option("--region <name>", "only of this region")
        .option("--managers-in <namespace>", "also to pause Argo CD's applications or Flux's Helm releases there")
        .option("--json", "as JSON"),
      async () => (await import("./commands/rbac.ts")).rbac,
    ],
    [
      withState(
        withEnv(
          new Command("release-hold")
            .summary("free what a run that died left held in Kubernetes; shows what it puts back, and asks")
            .argument("[component]", "component of the environment (default: all of them)"),
        ),
      )
        .option("--plan <file>", "the environment's file lies beside this plan")
        .option("--releases <file>", "names of releases (default: releases.yaml beside the environment's file)")
        .option("--keep-new", "leave the new release, which then goes everywhere without a guard")
        .option("--force", "also where a run acted whose state is kept elsewhere: you know that it is dead")
        .option("--yes", "do not ask"),
      async () => (await import("./commands/release-hold.ts")).releaseHold,
    ],
    [
      withState(new Command("approve").summary("approve the step that a run waits for").argument("<run>", "run id"))
        .option("--by <who>", "who approves (default: your login)")
        .option("--refuse", "refuse instead; the run is taken back"),
      async () => (await import("./commands/approve.ts")).approve,
    ],
    [
      withState(
        new Command("status").summary("who acts on what now, and how far it is").argument("[run]", "run id"),
      ).option("--json", "as JSON"),
      async () => (await import("./commands/status.ts")).status,
    ],
    [
      withState(
        withOutput(
          new Command("attach")
            .summary("follow a run that another process conducts, from wherever its journal can be read")
            .argument("[run]", "run id (default: the newest)"),
        ),
      ).option("-e, --env <file>", "environment whose `state` says where runs are kept"),
      async () => (await import("./commands/attach.ts")).attach,
    ],
    [
      withState(
        withOutput(
          new Command("conduct")
            .summary("what a Job of Kubernetes runs: go on with a run, and exit with 0 when there is no more to do")
            .argument("<run>", "run id"),
        ),
      ),
      async () => (await import("./commands/conduct.ts")).conductRun,
    ],
    [
      new Command("probe")
        .summary("what a Deployment of a region runs: probe it as a guard orders in a file, and print what comes of it")
        .argument("<folder>", "with the files `brief` and `orders`")
        .option("--left <file>", "where probes over HTTP write down what they leave open"),
      async () => (await import("./commands/probe.ts")).probe,
    ],
    [
      withState(new Command("runs").summary("list runs, or `runs prune` old ones").argument("[action]", "`prune`"))
        .option("--keep <n>", "with prune: how many ended runs to keep", "20")
        .option("--json", "as JSON"),
      async () => (await import("./commands/runs.ts")).runs,
    ],
    [
      withState(
        new Command("report")
          .summary("the incident report of a run, in Markdown")
          .argument("[run]", "run id (default: the newest)"),
      )
        .option("--json", "as JSON")
        .option("--out <file>", "write it there"),
      async () => (await import("./commands/report.ts")).reportCommand,
    ],
    [
      withOutput(
        new Command("demo")
          .summary("a whole venue on this machine, user traffic, and six stories of its upgrades")
          .argument("[what]", "`venue` starts the venue alone"),
      )
        .option(
          "--story <name>",
          "one story: good-upgrade, rehearsal-2023, metadata-2023, bad-release-dark, bad-release-live, servers-2021",
        )
        .option("--seed <n>", "where, when and how hard faults strike", "1")
        .option("--no-rehearsal", "skip the rehearsals of the stories that go with a certificate")
        .option("--rate <n>", "user operations per second", "300")
        .option("--dir <dir>", "keep reports and runs here (default: ./midflight-demo)")
        .option("--instances <n>", "gateways per region: 6, or at least 3")
        .option("--port-base <n>", "first port of the venue (default: free ports)"),
      async () => (await import("./commands/demo.ts")).demo,
    ],
    [
      new Command("schema")
        .summary("print the JSON Schema of a file")
        .argument("<which>", "plan, environment or releases"),
      async () => (await import("./commands/schema.ts")).schema,
    ],
    [
      new Command("explain")
        .summary("explain an error code")
        .argument("[code]", "such as LEASE_HELD; all codes without it"),
      async () => (await import("./commands/explain.ts")).explain,
    ],
    [
      new Command("completion").summary("print a completion script").argument("<shell>", "bash, zsh or fish"),
      async () => (await import("./commands/completion.ts")).completion,
    ],
  ];
}
