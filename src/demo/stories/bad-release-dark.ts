import type { Story } from "./story.ts";
import { seconds } from "./metadata-2023.ts";

export const badReleaseDark: Story = {
  kind: "upgrade",
  name: "bad-release-dark",
  title: "A bad release that probes can see",
  plan: "bad-release-dark.yaml",
  because: "the story shows that production proves a release in the dark by itself",
  draw: (luck) => {
    const amendShare = 0.25 + 0.2 * luck();
    return {
      text: `gateway 2.1 answers ${Math.round(amendShare * 100)} % of amends with 50026`,
      gateway: { amendShare },
    };
  },
  isByFault: ({ release }) => release.endsWith("@2.1"),
  outcome: "undone",
  demands: (figures) => [
    ...(figures.failedByFault === 0
      ? []
      : [`${figures.failedByFault} user operations reached the bad release and failed`]),
    ...(figures.text.includes("in the dark") ? [] : ["it was not found in the dark"]),
  ],
  sentence: ({ operations, failedByFault, undoMs }, fault) =>
    `${capital(fault.text)}; it was found in the dark, before any user reached it: of ${operations} user operations ${failedByFault} failed of it, and it was gone ${seconds(undoMs)} after the finding.`,
};

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
