import type { Story } from "./story.ts";
import { seconds } from "./metadata-2023.ts";

export const servers2021: Story = {
  kind: "upgrade",
  name: "servers-2021",
  title: "26 March 2021: servers die in the middle of an upgrade",
  plan: "servers-2021.yaml",
  draw: (luck) => {
    const region = luck() < 0.5 ? "tokyo" : "frankfurt";
    const afterBatches = 1 + Math.floor(luck() * 4);
    const awayMs = 5_000 + Math.floor(luck() * 4_000);
    return {
      text: `after ${afterBatches} batches the server with the active matching engine and all gateways of ${region} dies, for ${(awayMs / 1000).toFixed(1)} s`,
      death: { region, afterBatches, awayMs },
    };
  },
  isByFault: ({ at }, struckAt) => at >= struckAt - 1_000,
  outcome: "promoted",
  demands: () => [],
  sentence: ({ operations, failed, lastFailureMs, lost }, fault) =>
    `${fault.text.slice(0, 1).toUpperCase()}${fault.text.slice(1)}: the standby engine took over, the other region carried the users, midflight held and went on when the region was back; ${failed} of ${operations} operations failed within ${seconds(lastFailureMs)}, and ${lost} acknowledged orders were lost.`,
};
