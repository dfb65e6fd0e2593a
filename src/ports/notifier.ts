import type { NotifyKind } from "../plan/model.ts";

export type Notification = {
  /** Stable, so that a receiver can drop a second delivery. */
  readonly id: string;
  readonly kind: NotifyKind;
  readonly run: string;
  readonly plan: string;
  readonly environment: string;
  readonly at: number;
  /** One sentence. */
  readonly text: string;
};

/** Tells people. Never waited for by a run; the conductor records what could not be delivered. */
export interface Notifier {
  /** Name for reports, secrets left out: `webhook pager.example`. */
  readonly name: string;
  readonly on: readonly NotifyKind[];
  /** Delivers at least once, with limited retries. Rejects `NOTIFICATION_UNDELIVERED`. */
  notify(notification: Notification, signal: AbortSignal): Promise<void>;
}
