// Opens a ground for trials, makes a clone, and waits to be killed.
import { postgresTrials } from "../../../src/adapters/postgres/trials/trials.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";

const [url = ""] = process.argv.slice(2);
const signal = new AbortController().signal;
const trials = postgresTrials({
  url,
  roles: {},
  content: { rows: "all", mask: [] },
  sessions: "ask",
  clock: systemClock,
});
const ground = await trials.open(signal);
process.stdout.write(`${(await ground.clone(signal)).name}\n`);
setInterval(() => {}, 1_000);
