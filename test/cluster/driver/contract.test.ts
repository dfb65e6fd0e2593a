import { afterAll, beforeAll } from "vitest";
import { workloadContract } from "../../contract/workload.ts";
import { findGround, placeOn, type Ground } from "./place.ts";

let cluster: Ground;
beforeAll(async () => {
  cluster = await findGround();
}, 180_000);
afterAll(() => cluster?.api.close());

workloadContract("as pods of a real cluster", async () => {
  const place = await placeOn(cluster, { replicas: 0, readyDeadlineMs: 15_000 });
  return {
    ...place.driver,
    old: place.release("1.0"),
    fresh: place.release("2.0"),
    bad: place.release("3.0"),
    instances: "replaced",
    kill: (id) => place.setReady(id, false),
    revive: (id) => place.setReady(id, true),
    cut: place.cut,
    close: place.close,
  };
});
