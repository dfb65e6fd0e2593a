import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { ReferenceTable } from "../../../plan/model.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { EnvironmentFact, FactGroup, Facts, FactValue, Severity } from "../../../ports/facts.ts";
import { BUDGETS } from "../budgets.ts";
import type { Budgets } from "../budgets.ts";
import { unreachable } from "../explain-error.ts";
import { readHistory } from "../history.ts";
import { identityOf } from "../identify.ts";
import { readStable } from "../observe.ts";
import { openReader } from "../read-only.ts";
import type { Reader } from "../read-only.ts";
import { targetOf } from "../target.ts";
import { clockFacts } from "./clock.ts";
import { objectFacts } from "./objects.ts";
import { referenceFacts } from "./reference.ts";
import { roleFacts } from "./roles.ts";
import { serverFacts } from "./server.ts";
import { settingFacts } from "./settings.ts";
import { sizeFacts } from "./sizes.ts";

export type PostgresFactsOptions = {
  readonly component: string;
  readonly url: string;
  readonly reference: readonly ReferenceTable[];
  readonly clock: Clock;
  readonly budgets?: Partial<Budgets>;
};

/** What each kind of fact is read with. `name` comes after the component: `setting/lock_timeout`. */
export type Look = {
  readonly reader: Pick<Reader, "query">;
  readonly fact: (name: string, group: FactGroup, value: FactValue, severity?: Severity) => EnvironmentFact;
};

/** Facts of a PostgreSQL database, through a session that cannot write. Throws `SECRET_MALFORMED` for a URL that is none. */
export const postgresFacts = (options: PostgresFactsOptions): Facts => {
  const target = targetOf(options.url);
  return {
    async collect(signal) {
      const budgets = { ...BUDGETS, ...options.budgets };
      const settings = { ...PLAIN_TEXT, statement_timeout: `${budgets.readMs}ms`, lock_timeout: LOCK_TIMEOUT };
      const patience = { ...budgets, readMs: budgets.readMs + MARGIN_MS };
      const reader = await openReader(options.url, { name: "midflight facts", settings }, signal, patience);
      try {
        return await collect(reader, options);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof UpgradeError ? error : unreachable(target, error, "to be looked at");
      } finally {
        await reader.close();
      }
    },
  };
};

/** Values as texts must not depend on how a server or a role is set up; a policy must not hide rows without a word. */
const PLAIN_TEXT = {
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "iso_8601",
  extra_float_digits: "1",
  bytea_output: "hex",
  row_security: "off",
};
/** Whoever waits for a table longer than this holds up nobody, and is told. */
const LOCK_TIMEOUT = "2s";
/** The server's own time-out says more than ours. */
const MARGIN_MS = 2_000;

async function collect(reader: Reader, options: PostgresFactsOptions): Promise<readonly EnvironmentFact[]> {
  const look: Look = { reader, fact: factOf(options.component) };
  return [
    ...(await identityFact(look)),
    ...(await clockFacts(look, options.clock)),
    ...(await serverFacts(look)),
    ...(await settingFacts(look)),
    ...(await roleFacts(look)),
    ...(await migrationFacts(look)),
    ...(await catalogueFacts(look)),
    ...(await objectFacts(look)),
    ...(await sizeFacts(look)),
    ...(await referenceFacts(look, options.reference)),
  ];
}

const factOf =
  (component: string): Look["fact"] =>
  (name, group, value, severity = "block") => ({
    id: `${component}/${name}`,
    component,
    group,
    value,
    severity,
    rule: "same",
  });

async function identityFact(look: Look): Promise<readonly EnvironmentFact[]> {
  const { system, startedAt, database, isStandby } = await identityOf(look.reader);
  const value = { system, startedAt, database, ...(isStandby ? { standby: "yes" } : {}) };
  return [{ ...look.fact("identity", "identity", value), rule: "apart" }];
}

async function migrationFacts({ reader, fact }: Look): Promise<readonly EnvironmentFact[]> {
  const history = await readHistory(reader);
  return history.map(({ name, state, sums }) =>
    fact(`migration/${name}`, "migrations", { state, up: sums.up, verify: sums.verify, down: sums.down }),
  );
}

/** Object by object, so that a difference names it. */
async function catalogueFacts({ reader, fact }: Look): Promise<readonly EnvironmentFact[]> {
  const rows = await readStable(reader);
  const byName = new Map<string, string[]>();
  for (const { k, n, d = "" } of rows) byName.set(`${k}/${n}`, [...(byName.get(`${k}/${n}`) ?? []), d]);
  return [...byName].map(([name, texts]) =>
    fact(`schema/${name}`, name.startsWith("acl/") ? "rights" : "schema", texts.join("; ")),
  );
}
