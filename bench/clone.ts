import { join } from "node:path";
import { Client } from "pg";
import { postgresTrials } from "../src/adapters/postgres/trials/trials.ts";
import { systemClock } from "../src/adapters/system/clock.ts";
import { startPostgres, type Postgres } from "../src/demo/venue/metadata/postgres.ts";
import type { TrialGround } from "../src/ports/trials.ts";
import type { Bench } from "./bench.ts";
import { decimal, median, ms } from "./spread.ts";

const FULL_BYTES = 1_000_000_000;
const QUICK_BYTES = 60_000_000;
const ROW_BYTES = 550;
const MOST_RATIO = 1.3;

type Pair = { readonly oursMs: number; readonly bareMs: number };

/** A clone of the store for a trial, beside `create database … template` by itself. */
export const clone: Bench = {
  name: "clone",
  about: "a clone of a 1 GB store for a trial of migrations, beside a bare CREATE DATABASE … TEMPLATE",
  run: async ({ options, dir, publish, say, signal }) => {
    const wanted = options.isQuick ? QUICK_BYTES : FULL_BYTES;
    const count = options.pairs ?? (options.isQuick ? 3 : 10);
    const postgres = await startPostgres({ dir: join(dir, "postgres") });
    try {
      say(`filling a store with ${decimal(wanted / 1e6, 0)} MB`);
      await fill(postgres, wanted);
      const trials = postgresTrials({
        url: postgres.ownerUrl,
        roles: {},
        content: { rows: "all", mask: [] },
        sessions: "ask",
        clock: systemClock,
      });
      const ground = await trials.open(signal);
      try {
        const pairs = await measure(postgres, ground, count, say, signal);
        const ratio = median(pairs.map(({ oursMs, bareMs }) => oursMs / bareMs)) ?? Number.NaN;
        await publish({
          name: "clone",
          settings: {
            bytes: ground.facts.bytes,
            pairs: count,
            strategy: ground.facts.strategy,
            server: ground.facts.server,
          },
          figures: [
            {
              figure: `clone of a store of ${decimal(ground.facts.bytes / 1e9, 2)} GB by ${ground.facts.strategy}, median of ${count} pairs`,
              measured: `${decimal(ratio, 2)} × (${ms(median(pairs.map(({ oursMs }) => oursMs)))} and ${ms(median(pairs.map(({ bareMs }) => bareMs)))} bare)`,
              goal: `at most ${MOST_RATIO} ×`,
              ok: ratio <= MOST_RATIO,
            },
          ],
          tables: [],
          raw: { pairs, templateMs: ground.facts.templateMs },
        });
      } finally {
        await ground.close();
      }
    } finally {
      await postgres.stop();
    }
  },
};

/** One right after the other, and the other one first each time. */
async function measure(
  postgres: Postgres,
  ground: TrialGround,
  count: number,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly Pair[]> {
  const db = await connected(postgres.ownerUrl.replace(/\/[^/]*$/, "/postgres"));
  try {
    const [row] = (
      await db.query<{ name: string }>(
        "select datname as name from pg_database where datname like 'midflight_template%'",
      )
    ).rows;
    const bare = () =>
      timed(() => db.query(`create database bare template ${row?.name ?? ""} strategy ${ground.facts.strategy}`));
    const pairs: Pair[] = [];
    for (let pair = 0; pair < count; pair += 1) {
      signal.throwIfAborted();
      const bareFirst = pair % 2 === 0 ? await bare() : undefined;
      const since = performance.now();
      const made = await ground.clone(signal);
      const oursMs = performance.now() - since;
      const bareMs = bareFirst ?? (await bare());
      pairs.push({ oursMs, bareMs });
      say(`pair ${pair + 1} of ${count}: ${ms(oursMs)} and ${ms(bareMs)} bare`);
      await made.drop();
      await db.query("drop database bare");
    }
    return pairs;
  } finally {
    await db.end();
  }
}

async function fill(postgres: Postgres, bytes: number): Promise<void> {
  const db = await connected(postgres.ownerUrl);
  try {
    await db.query(
      `create table orders as select n as id, repeat(md5(n::text), 16) as note from generate_series(1, ${Math.round(bytes / ROW_BYTES)}) n`,
    );
    await db.query("alter table orders add primary key (id)");
  } finally {
    await db.end();
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await act();
  return performance.now() - since;
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}
