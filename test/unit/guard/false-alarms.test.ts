import { expect, test } from "vitest";
import { guardWorld } from "../../fakes/guard-world.ts";

// 300 operations a second over twelve gateways, 0.1 % of them failing, a fifth of the failures in bursts of two to four.
test.each([
  { bursts: "spread", seed: 11 },
  { bursts: "together", seed: 12 },
] as const)(
  "an hour of healthy traffic with $bursts bursts and a whole upgrade in it trips nothing (seed $seed)",
  { timeout: 60_000 },
  ({ bursts, seed }) => {
    const world = guardWorld({ seed, bursts });
    world.run(5_000);
    for (let step = 0; step < 36; step++) {
      const region = step % 2 === 0 ? "tokyo" : "frankfurt";
      if (step === 6) world.mark({ kind: "metadata", component: "orders-db" });
      if (step >= 10 && step < 22) {
        world.upgrade([`${region}-${Math.floor((step - 10) / 2)}`]);
        world.mark({ kind: "instances", component: "gateway", regions: [region] });
      }
      world.run(100_000);
    }
    expect(world.verdicts().map(({ state, reason }) => `${state}: ${reason}`)).toEqual([
      "healthy: operations succeed in every region",
    ]);
  },
);
