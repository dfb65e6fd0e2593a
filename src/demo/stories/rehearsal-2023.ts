import { metadata2023 } from "./metadata-2023.ts";
import type { RefusalStory } from "./story.ts";

const MIGRATION = "0002_split_tiers";

export const rehearsal2023: RefusalStory = {
  kind: "refusal",
  name: "rehearsal-2023",
  title: "The metadata update of 14 August 2023, rehearsed",
  plan: metadata2023.plan,
  draw: metadata2023.draw,
  demands: ({ certificate, failed }) => [
    ...(certificate === undefined ? [] : ["the update that broke trading was certified"]),
    ...(failed.some(({ step, detail }) => `${step} ${detail}`.includes(MIGRATION))
      ? []
      : [`the refusal does not name ${MIGRATION}`]),
    ...(failed.some(({ detail }) => detail.includes("account")) ? [] : ["the refusal does not name the statement"]),
  ],
  sentence: ({ failed, ms }, fault) =>
    `Rehearsed in demo, the same update is refused after ${Math.round(ms / 1000)} s, before production heard of it: ${fault.text}, and that shows as ${failed[0]?.detail.split("\n")[0] ?? "nothing"}.`,
};
