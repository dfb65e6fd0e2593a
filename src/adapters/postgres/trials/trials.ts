import type { Clock } from "../../../ports/clock.ts";
import type { TrialGround, Trials } from "../../../ports/trials.ts";
import type { Budgets } from "../budgets.ts";
import type { Connection } from "../connect.ts";
import { identify } from "../identify.ts";
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
