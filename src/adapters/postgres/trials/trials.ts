import type { Clock } from "../../../ports/clock.ts";
import type { StoreIdentity, TrialGround, Trials } from "../../../ports/trials.ts";
import type { Budgets } from "../budgets.ts";
import type { Connection } from "../connect.ts";
import { openReader } from "../read-only.ts";
import { targetOf } from "../target.ts";
import { makeClone } from "./clone.ts";
import { clear, groundOf, openKeeper, sweep } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { makeTemplate } from "./template.ts";
import type { Content, Sessions, Template } from "./template.ts";

export type PostgresTrialsOptions = {
  /** By the store's owner, who may create databases. */
  readonly url: string;
  /** Addresses by which components come to this store, by component. */
  readonly roles: Readonly<Record<string, string>>;
  readonly content: Content;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly budgets?: Partial<Budgets>;
};

/** Trials on clones of a PostgreSQL database, on its own server. Throws `SECRET_MALFORMED` for a URL that is none. */
export const postgresTrials = (options: PostgresTrialsOptions): Trials => {
  targetOf(options.url);
  return {
    identify: (signal) => identify(options.url, signal),
    open: (signal) => open(groundOf(options.url, options), options, signal),
  };
};

/** Who answers at an address. Never writes, so it may be asked of production. Rejects `METADATA_UNREACHABLE`. */
export const identify = async (url: string, signal: AbortSignal): Promise<StoreIdentity> => {
  const reader = await openReader(url, "midflight identity", signal);
  try {
    const [row] = await reader.query(IDENTITY);
    return {
      place: targetOf(url).place,
      system: String(row?.["system"]),
      startedAt: String(row?.["started"]),
      database: String(row?.["database"]),
      isStandby: row?.["standby"] === true,
    };
  } finally {
    await reader.close();
  }
};

const IDENTITY = `
select (select system_identifier::text from pg_catalog.pg_control_system()) as system,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as started,
       (select oid::text from pg_catalog.pg_database where datname = pg_catalog.current_database()) as database, pg_catalog.pg_is_in_recovery() as standby`;

const open = async (ground: Ground, options: PostgresTrialsOptions, signal: AbortSignal): Promise<TrialGround> => {
  const keeper = await openKeeper(ground, signal);
  try {
    const swept = await sweep(ground, signal);
    const template = await makeTemplate(ground, options, signal);
    return groundWith(ground, keeper, template, swept, options.content);
  } catch (error) {
    await close(ground, keeper);
    throw error;
  }
};

const groundWith = (
  ground: Ground,
  keeper: Connection,
  template: Template,
  swept: readonly string[],
  content: Content,
): TrialGround => {
  let clones = 0;
  let closing: Promise<void> | undefined;
  return {
    facts: {
      server: template.server,
      bytes: template.bytes,
      templateMs: template.ms,
      strategy: template.strategy,
      content: wordsOf(content),
      swept,
      sentAway: template.sentAway,
    },
    clone: (signal) => makeClone(ground, template, (clones += 1), signal),
    close: () => (closing ??= close(ground, keeper)),
  };
};

const wordsOf = ({ rows, mask }: Content): string =>
  `${rows === "all" ? "all rows" : `${rows} rows of each table and what they refer to`}${mask.length === 0 ? "" : `, ${mask.join(", ")} masked`}`;

// The lock goes last: until then nobody takes for dead what is still being removed.
const close = async (ground: Ground, keeper: Connection): Promise<void> => {
  try {
    await clear(ground);
  } finally {
    await keeper.close();
  }
};
