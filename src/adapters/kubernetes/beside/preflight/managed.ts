import { heldIn } from "../../hold.ts";
import { managersOf } from "../managers.ts";
import { switchesOf } from "../switches.ts";
import type { Check } from "./scene.ts";

/** Whoever put the object there may put it back while midflight holds it. */
export const managed: Check = ({ object, metadata, intent }) => {
  const pausable = intent.isPausing ? switchesOf(object, metadata).map(({ manager }) => manager) : [];
  return managersOf(metadata).map(({ name, pause }) =>
    pausable.includes(name)
      ? `${name} waits while the run lasts, and goes on when it has ended: give it the new release before, or it brings the old one back`
      : `${name} would put back what midflight holds: ${pause}; and give it the new release before it goes on`,
  );
};

/** A record of a run that is under way, or of one that died. */
export const heldAlready: Check = ({ metadata }) =>
  heldIn({ metadata }) === undefined
    ? []
    : [
        "it is held, by a run that is under way or by one that died: an upgrade goes on from where it stands; to put it back instead, `midflight release-hold`",
      ];
