// `npm run bench`: measures the README's figures, each beside what it has to reach, and writes bench/results/.
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { check } from "./check.ts";
import { clone } from "./clone.ts";
import { guard } from "./guard.ts";
import { guardDemo } from "./guard-demo.ts";
import { help } from "./help.ts";
import { kubernetes } from "./kubernetes.ts";
import { latency } from "./latency.ts";
import { machine, moment } from "./machine.ts";
import { ROOT } from "./places.ts";
import { probes } from "./probes.ts";
import { quiet } from "./quiet.ts";
import { simulation } from "./simulation.ts";
import { stories } from "./stories.ts";
import { figuresTable, isMissed, tableText } from "./table.ts";

const BENCHES = [help, check, clone, simulation, guard, guardDemo, probes, stories, latency, kubernetes, quiet];

const USAGE = `npm run bench -- [NAME…] [options]

${BENCHES.map(({ name, about }) => `  ${name.padEnd(12)}${about}`).join("\n")}

  --quick             smaller, to see that everything works; results are not written unless --out is given
  --stories A,B       stories: these only
  --parts A,B         kubernetes: these only (rollouts, bad-release, dark, requests, conductor, fleet)
  --seeds N           stories: how many seeds each (default 10); guard-demo: how many (default 20); kubernetes: bad releases (default 5)
  --seed N            the first seed (default 1)
  --pairs N           latency: pairs of windows (default 10); help: pairs of runs (default 30); clone: pairs of clones (default 10); kubernetes: pairs of rollouts (default 10)
  --minutes N         quiet: how long the guard watches (default 60)
  --seconds N         simulation: how long (default 60); probes: how long (default 30)
  --rate N            user operations a second (default 300)
  --out DIR           where the JSON goes (default bench/results)
  --no-build          measure dist as it stands`;

async function main() {
  const { values, positionals } = parsed();
  if (values.help) return console.log(USAGE);
  const benches = positionals.length === 0 ? BENCHES : positionals.map(benchOf);
  if (!values["no-build"]) build();
  const out = values.out ?? (values.quick ? undefined : join(ROOT, "bench", "results"));
  const host = await machine();
  console.log(`${host.cores} cores of ${host.cpu}, ${host.memoryGb} GB, Node ${host.node}, ${host.os}\n`);
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
  const options = optionsOf(values);
  const figures = [];
  for (const bench of benches) {
    if (stop.signal.aborted) break;
    figures.push(...(await measure(bench, { options, host, out, signal: stop.signal })));
  }
  console.log(`\n${tableText(figuresTable("All figures", figures))}`);
  if (figures.some(isMissed)) process.exitCode = 1;
}

function parsed() {
  const text = { type: "string" };
  const flag = { type: "boolean" };
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: flag,
        help: { ...flag, short: "h" },
        "no-build": flag,
        stories: text,
        parts: text,
        seeds: text,
        seed: text,
        pairs: text,
        minutes: text,
        seconds: text,
        rate: text,
        out: text,
      },
    });
  } catch (error) {
    return wrong(error.message);
  }
}

function benchOf(name) {
  return BENCHES.find((bench) => bench.name === name) ?? wrong(`there is no bench ${name}`);
}

function wrong(why) {
  console.error(`${why}\n\n${USAGE}`);
  process.exit(3);
}

function optionsOf(values) {
  const number = (name) => {
    if (values[name] === undefined) return undefined;
    const value = Number(values[name]);
    return value > 0 ? value : wrong(`--${name} ${values[name]} is no number above 0`);
  };
  return {
    isQuick: values.quick === true,
    stories: values.stories?.split(","),
    parts: values.parts?.split(","),
    seeds: number("seeds"),
    firstSeed: number("seed") ?? 1,
    pairs: number("pairs"),
    minutes: number("minutes"),
    seconds: number("seconds"),
    ratePerSec: number("rate") ?? 300,
  };
}

/** What is measured is what the sources say. */
function build() {
  const { status } = spawnSync(process.execPath, [join(ROOT, "scripts", "build.mjs")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) wrong("dist could not be built");
}

/** Runs one bench; one that could not be measured is a missed figure, and the others go on. */
async function measure(bench, { options, host, out, signal }) {
  const dir = await mkdtemp(join(tmpdir(), `midflight-bench-${bench.name}-`));
  const figures = [];
  const started = await moment();
  const publish = async (result) => {
    figures.push(...result.figures);
    const parts = [figuresTable(result.name, result.figures), ...result.tables.filter(({ rows }) => rows.length > 0)];
    console.log(`\n${parts.map(tableText).join("\n\n")}`);
    if (out === undefined) return;
    await mkdir(out, { recursive: true });
    const file = resolve(out, `${result.name}.json`);
    const { name, settings, raw } = result;
    const record = {
      name,
      ...started,
      endedAt: new Date().toISOString(),
      machine: host,
      settings,
      figures: result.figures,
      raw,
    };
    await writeFile(file, `${JSON.stringify(record, undefined, 2)}\n`);
    console.error(`written: ${file}`);
    for (const [more, text] of Object.entries(result.files ?? {})) {
      await writeFile(resolve(out, more), text);
      console.error(`written: ${resolve(out, more)}`);
    }
  };
  const kept = [];
  const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)}  ${text}`);
  try {
    await bench.run({ options, dir, say, publish, keep: (path) => kept.push(path), signal });
  } catch (error) {
    if (signal.aborted) say(`${bench.name}: ${signal.reason.message}`);
    else console.error(error.stack);
    figures.push({
      figure: bench.name,
      measured: `not measured: ${(signal.aborted ? signal.reason : error).message.split("\n")[0]}`,
      goal: "-",
      ok: false,
    });
  } finally {
    // What failed seeds left is for whoever looks into them.
    if (kept.length === 0) await rm(dir, { recursive: true, force: true });
    else console.error(`kept: ${kept.join(", ")}`);
  }
  return figures;
}
await main();
