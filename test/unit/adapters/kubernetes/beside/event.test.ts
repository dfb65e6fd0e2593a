import { expect, test } from "vitest";
import { newEvent, type Saying } from "../../../../../src/adapters/kubernetes/beside/event.ts";

const saying: Saying = {
  object: { kind: "Deployment", name: "gateway", uid: "u-1" },
  namespace: "tokyo",
  reason: "BatchDone",
  note: "2 of 10 instances run gateway@2.0",
  isWarning: false,
  run: "order-gateway-2-20261121-051200-3f9a",
  number: 3,
  at: Date.UTC(2026, 10, 21, 5, 12, 0, 123),
};

test("an event says what became of which object, as the API server wants it", () => {
  expect(newEvent(saying)).toMatchObject({
    apiVersion: "events.k8s.io/v1",
    eventTime: "2026-11-21T05:12:00.123000Z",
    reportingController: "midflight",
    reportingInstance: "order-gateway-2-20261121-051200-3f9a",
    reason: "BatchDone",
    type: "Normal",
    regarding: { apiVersion: "apps/v1", kind: "Deployment", namespace: "tokyo", name: "gateway", uid: "u-1" },
  });
  expect(newEvent({ ...saying, isWarning: true }).type).toBe("Warning");
  expect(newEvent({ ...saying, object: { ...saying.object, kind: "StatefulSet" } }).regarding.kind).toBe("StatefulSet");
});

test("two events of one instant have two names, both names of an object", () => {
  const names = [3, 4].map((number) => newEvent({ ...saying, number }).metadata.name);
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
});

test("a note of any length and script, and a run of any name, fit into what the API server takes", () => {
  const { note, reportingInstance } = newEvent({ ...saying, note: "取".repeat(2_000), run: "r".repeat(300) });
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
  expect(reportingInstance).toHaveLength(128);
});
