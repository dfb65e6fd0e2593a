import type { Story } from "./story.ts";
import { seconds } from "./metadata-2023.ts";

export const badReleaseLive: Story = {
  kind: "upgrade",
  name: "bad-release-live",
  title: "A bad release that only users' traffic shows",
  plan: "bad-release-live.yaml",
  because: "the story shows a fault that no rehearsal has shown",
  draw: (luck) => {
    const restingOrders = 3;
    const share = 0.7 + 0.3 * luck();
    return {
      text: `gateway 2.2 fails ${Math.round(share * 100)} % of the amends of accounts with ${restingOrders} or more resting orders`,
      gateway: { restingOrders, share },
    };
  },
  isByFault: ({ release, code }) => release.endsWith("@2.2") && code === "50026",
  outcome: "undone",
  demands: (figures) => [
    ...(figures.tripMs === null ? ["no user operation failed, so the fault did not strike"] : []),
    ...(figures.text.includes("in the dark") ? ["probes saw it in the dark, and users were to show it"] : []),
    ...(figures.text.includes("kept: ") ? [] : ["the additive expand was not kept"]),
  ],
  sentence: ({ operations, failedByFault, tripMs, lastFailureMs, undoMs }, fault) =>
    `Probes saw nothing, but ${fault.text}: users' own traffic showed it, the new instances were withdrawn ${seconds(tripMs)} after the first failing operation, the last one failed after ${seconds(lastFailureMs)}, and all was undone ${seconds(undoMs)} after the verdict; ${failedByFault} of ${operations} operations failed, the old release never left, and the expanded metadata stays.`,
};
