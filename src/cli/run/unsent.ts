import { dirname } from "node:path";
import type { Run } from "../../engine/run.ts";
import { redactor } from "../../events/redact.ts";
import { parseEnvironment } from "../../plan/parse-environment.ts";
import type { JournalRecord } from "../../ports/journal.ts";
import type { Notifier } from "../../ports/notifier.ts";
import { isOver } from "../../runtime/conduct.ts";
import { entryOf, replay } from "../../runtime/replay.ts";
import { deliver, unsentNotices } from "../../runtime/unsent.ts";
import type { CliIo } from "../io.ts";
import { leaseKey } from "../wiring/lease.ts";
import { wireNotifiers } from "../wiring/notifiers.ts";
import { Secrets } from "../wiring/secrets.ts";
import { writeReport } from "./session.ts";
import { holderOf, type State } from "./state.ts";

type Order = { readonly io: CliIo; readonly state: State; readonly run: string };

/** For all notices of a run together. */
const DEADLINE_MS = 30_000;
/** Whoever begins a run looks at the latest ones before it; whoever began those has looked at the others. */
const LATEST = 3;

/**
 * Tells what a conductor did not live to tell of a run that is over, and writes down what became of it. Returns how many notices that were.
 * Rejects `LEASE_HELD`: then one lives that may tell it itself.
 */
export async function tellUnsent(order: Order): Promise<number> {
  const owed = await owedBy(order);
  if (owed === undefined) return 0;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  // Nothing is written but its journal: the lease beside that is enough.
  const lease = await order.state.lease.acquire(keysOf(owed.run), holderOf(order.run), signal);
  try {
    return await tellAll(order, signal);
  } finally {
    await lease.release();
  }
}

/** The same for the latest runs on these components, which the caller holds. Never rejects: an upgrade does not wait for news of an older one. */
export async function tellUnsentBefore({ io, state }: Omit<Order, "run">, keys: readonly string[]): Promise<void> {
  for (const run of (await state.store.list().catch(() => [])).slice(0, LATEST)) {
    try {
      const owed = await owedBy({ io, state, run });
      if (owed === undefined || !keysOf(owed.run).every((key) => keys.includes(key))) continue;
      await tellAll({ io, state, run }, AbortSignal.timeout(DEADLINE_MS));
    } catch {
      // It may be damaged, or its secrets gone: whoever resumes it is told.
    }
  }
}

async function tellAll(order: Order, signal: AbortSignal): Promise<number> {
  const { io, state, run: name } = order;
  // Looked at once more, now that nobody else tells anything.
  const owed = await owedBy(order);
  if (owed === undefined) return 0;
  const journal = await state.store.open(name);
  try {
    const unsent = unsentNotices(journal.records, owed.run, owed.notifiers);
    for (const one of unsent) {
      const fact = await deliver(one, () => state.clock.now(), signal);
      await journal.append({ at: fact.at, fact, effects: [] });
      const what = `what the conductor of ${name} did not live to tell: ${one.notification.text}`;
      io.say(
        fact.kind === "delivered"
          ? `told ${fact.notifier} ${what}`
          : `could not tell ${fact.notifier} ${what} (${fact.why})`,
      );
    }
    return unsent.length;
  } finally {
    await journal.close();
    await writeReport(state.store, name, redactor(owed.secrets.seen()));
  }
}

type Owed = { readonly run: Run; readonly notifiers: readonly Notifier[]; readonly secrets: Secrets };

/** Undefined where nobody is owed anything, or where the run is not over: whoever resumes it tells it then. */
async function owedBy({ io, state, run: name }: Order): Promise<Owed | undefined> {
  const records = await state.store.read(name);
  if (!hasSilence(records)) return undefined;
  const run = replay(records);
  if (!isOver(run)) return undefined;
  const text = (await state.store.getFile(name, "input/environment.yaml")) ?? "";
  const environment = parseEnvironment(new TextEncoder().encode(text), "environment.yaml");
  if (!environment.ok) return undefined;
  const { value } = environment.located;
  const secrets = new Secrets(io.env, dirname(value.file));
  const notifiers = await wireNotifiers(value, secrets, state.clock);
  return unsentNotices(records, run, notifiers).length === 0 ? undefined : { run, notifiers, secrets };
}

/** Whether something was to be told of which nobody says what became of it. */
function hasSilence(records: readonly JournalRecord[]): boolean {
  const entries = records.map((record) => entryOf(record));
  const answers = entries.flatMap(({ fact }) =>
    fact.kind === "delivered" || fact.kind === "undelivered" ? [fact.notification] : [],
  );
  return entries.some(({ effects }) =>
    effects.some(({ kind, id }) => kind === "notify" && !answers.some((answer) => answer.endsWith(`/${id}`))),
  );
}

const keysOf = ({ graph }: Run): readonly string[] =>
  Object.keys(graph.components).map((component) => leaseKey(graph.environment, component));
