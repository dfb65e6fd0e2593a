import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Clone, StoreLook } from "../../../ports/trials.ts";
import { connect } from "../connect.ts";
import type { Connection } from "../connect.ts";
import { targetOf } from "../target.ts";
import { askWith, sampleWith } from "./ask.ts";
import { copySettings } from "./copy-settings.ts";
import { cloneName, drop, LONG_MS, urlFor, withAdmin } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { loadOn } from "./load.ts";
import { lookAt } from "./look.ts";
import { refusedCopy } from "./refusal.ts";
import { runApart, runWhole } from "./run.ts";
import { strategyClause } from "./template.ts";
import type { Template } from "./template.ts";

/** Copies the template. Rejects `TRIAL_REFUSED`. */
export const makeClone = async (
  ground: Ground,
  template: Template,
  number: number,
  signal: AbortSignal,
): Promise<Clone> => {
  const name = cloneName(ground, number);
  const ms = await withAdmin(ground, "create", signal, async (db) => {
    const startedAt = ground.clock.monotonic();
    try {
      await db.query(
        `create database ${name} template ${template.name}${strategyClause(template.strategy)}`,
        undefined,
        LONG_MS,
      );
    } catch (cause) {
      signal.throwIfAborted();
      throw refusedCopy(ground.source, cause, []);
    }
    const took = Math.round(ground.clock.monotonic() - startedAt);
    await copySettings(db, ground.database, name);
    return took;
  });
  return cloneOn(ground, name, ms);
};

const cloneOn = (ground: Ground, name: string, ms: number): Clone => {
  const url = urlFor(ground.source.url, name);
  const applicationUrl = (component: string): string => {
    const own = ground.roles[component];
    if (own !== undefined) return urlFor(own, name);
    throw new UpgradeError(
      "TRIAL_REFUSED",
      `nothing tells as which user ${component} comes to ${ground.source.place}`,
      {
        hint: `give ${component} the address of the store in the demo environment's file: in its \`env\`, or in \`stores\` where it runs in pods`,
      },
    );
  };
  const as = <T>(
    who: { readonly url: string; readonly settings?: Readonly<Record<string, string>> },
    signal: AbortSignal,
    use: (db: Connection) => Promise<T>,
  ): Promise<T> => onSession(ground, who, signal, use);
  return {
    name,
    ms,
    look: (signal): Promise<StoreLook> => as({ url, settings: { search_path: "" } }, signal, lookAt),
    run: (migration, part, signal) => as({ url }, signal, (db) => runWhole(ground, db, migration, part)),
    runApart: (migration, after, signal) => as({ url }, signal, (db) => runApart(ground, db, migration, after)),
    sample: (queries, signal) => as({ url }, signal, (db) => sampleWith(db, queries)),
    ask: (asking, signal) => as({ url: applicationUrl(asking.component) }, signal, (db) => askWith(db, asking)),
    load: (order, signal) => loadOn(ground, { url, applicationUrl }, order, signal),
    drop: () =>
      withAdmin(ground, "drop", new AbortController().signal, async (db) => {
        await drop(db, name);
      }),
  };
};

const onSession = async <T>(
  ground: Ground,
  who: { readonly url: string; readonly settings?: Readonly<Record<string, string>> },
  signal: AbortSignal,
  use: (db: Connection) => Promise<T>,
): Promise<T> => {
  const db = await connect(
    targetOf(who.url),
    { name: `midflight trial ${ground.id}`, ...(who.settings === undefined ? {} : { settings: who.settings }) },
    ground.budgets,
    signal,
  );
  const cut = (): void => db.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    return await use(db);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", cut);
    await db.close();
  }
};
