import { messageOf } from "../errors/message-of.ts";
import type { Fact } from "../engine/fact.ts";
import type { Run } from "../engine/run.ts";
import type { JournalRecord } from "../ports/journal.ts";
import type { Notification, Notifier } from "../ports/notifier.ts";
import { notificationOf } from "./notification.ts";
import { entryOf } from "./replay.ts";

/** One notice that somebody still has to be told. */
export type Unsent = { readonly notifier: Notifier; readonly notification: Notification };

/**
 * Notices that were decided on and of which no record says what became of them: the conductor died first. One that arrived and whose record was
 * lost is among them, and goes out again under the same id.
 */
export function unsentNotices(
  records: readonly JournalRecord[],
  run: Run,
  notifiers: readonly Notifier[],
): readonly Unsent[] {
  const entries = records.map((record) => entryOf(record));
  const answered = new Set(
    entries.flatMap(({ fact }) =>
      fact.kind === "delivered" || fact.kind === "undelivered" ? [letterName(fact.notifier, fact.notification)] : [],
    ),
  );
  return entries.flatMap(({ fact, effects }) =>
    effects.flatMap((effect) => {
      if (effect.kind !== "notify") return [];
      const notification = notificationOf(run, effect, fact.at);
      return notifiers
        .filter(({ on, name }) => on.includes(effect.notice) && !answered.has(letterName(name, notification.id)))
        .map((notifier) => ({ notifier, notification }));
    }),
  );
}

const letterName = (notifier: string, notification: string): string => `${notifier} ${notification}`;

/** Tells one, and says what became of it. Never rejects. */
export async function deliver(
  { notifier, notification }: Unsent,
  now: () => number,
  signal: AbortSignal,
): Promise<Extract<Fact, { readonly kind: "delivered" | "undelivered" }>> {
  const letter = { notifier: notifier.name, notification: notification.id };
  try {
    await notifier.notify(notification, signal);
    return { kind: "delivered", at: now(), ...letter };
  } catch (error) {
    return { kind: "undelivered", at: now(), ...letter, why: messageOf(error) };
  }
}
