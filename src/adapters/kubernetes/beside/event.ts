import type { KubernetesObject } from "../../../plan/model.ts";
import type { Metadata } from "../api/objects.ts";

/** What an event says, of whom, and when. */
export type Saying = {
  readonly object: KubernetesObject & Pick<Metadata, "uid">;
  readonly namespace: string;
  readonly reason: string;
  readonly note: string;
  readonly isWarning: boolean;
  readonly run: string;
  /** Of this run's events: two of the same instant have two names. */
  readonly number: number;
  /** ms since the epoch. */
  readonly at: number;
};

/** Characters of whatever script that fit into the 1,024 bytes which the API server takes. */
const LONGEST_NOTE = 340;
const LONGEST_INSTANCE = 128;

/** An event of `events.k8s.io/v1`, as the API server wants a new one. */
export const newEvent = ({ object, namespace, reason, note, isWarning, run, number, at }: Saying) => ({
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: `${object.name}.${at.toString(16)}.${number}`, namespace },
  eventTime: microTime(at),
  reportingController: "midflight",
  reportingInstance: run.slice(0, LONGEST_INSTANCE),
  action: "Upgrade",
  reason,
  note: note.length > LONGEST_NOTE ? `${note.slice(0, LONGEST_NOTE - 1)}…` : note,
  type: isWarning ? "Warning" : "Normal",
  regarding: { apiVersion: "apps/v1", namespace, ...object },
});

/** `2026-11-21T12:00:00.123000Z`: six digits, no more and no less. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");
