import type { Story } from "./story.ts";

export const goodUpgrade: Story = {
  kind: "upgrade",
  name: "good-upgrade",
  title: "A good upgrade, under load",
  plan: "good-upgrade.yaml",
  draw: () => ({ text: "none" }),
  isByFault: () => true,
  outcome: "promoted",
  demands: (figures) =>
    figures.failed === 0 ? [] : [`${figures.failed} user operations failed in an upgrade without a fault`],
  sentence: ({ operations, failed, lost }) =>
    `Metadata expanded, every gateway went from 1.0 to 2.0 region by region, metadata contracted: of ${operations} user operations ${failed} failed and ${lost} orders were lost.`,
};
