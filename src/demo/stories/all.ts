import { badReleaseDark } from "./bad-release-dark.ts";
import { badReleaseLive } from "./bad-release-live.ts";
import { goodUpgrade } from "./good-upgrade.ts";
import { metadata2023 } from "./metadata-2023.ts";
import { rehearsal2023 } from "./rehearsal-2023.ts";
import { servers2021 } from "./servers-2021.ts";
import type { AnyStory } from "./story.ts";

/** In the order in which they are told. */
export const STORIES: readonly AnyStory[] = [
  goodUpgrade,
  rehearsal2023,
  metadata2023,
  badReleaseDark,
  badReleaseLive,
  servers2021,
];
