import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import type { NotifyKind } from "../../src/plan/model.ts";
import type { Notification, Notifier } from "../../src/ports/notifier.ts";

/** Tells nobody; keeps what it was told. */
export type FakeNotifier = Notifier & {
  readonly delivered: readonly Notification[];
  /** The next `times` notifications do not arrive. */
  lose(times?: number): void;
};

export const ALL_NOTICES: readonly NotifyKind[] = [
  "tripped",
  "stranded",
  "unknown",
  "ended",
  "held",
  "approval",
  "override",
];

export const fakeNotifier = (name = "pager", on: readonly NotifyKind[] = ALL_NOTICES): FakeNotifier => {
  const delivered: Notification[] = [];
  let losses = 0;
  return {
    name,
    on,
    delivered,
    lose(times = 1) {
      losses += times;
    },
    async notify(notification, signal) {
      signal.throwIfAborted();
      if (losses > 0) {
        losses -= 1;
        throw new UpgradeError("NOTIFICATION_UNDELIVERED", `${name} was not told of ${notification.id}`, {
          hint: "tell them yourself",
        });
      }
      delivered.push(notification);
    },
  };
};
