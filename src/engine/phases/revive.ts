import type { FactOf } from "../fact.ts";
import { announced } from "../begin.ts";
import { after, order, resend, stay } from "../decision.ts";
import type { Decision, Run } from "../run.ts";
import { askAgain } from "./away.ts";
import { lookFirst } from "./holding.ts";
import { lastTouched, trip } from "./tripping.ts";
import { sitOutAgain } from "./withdrawn.ts";

/**
 * A conductor picked the run up. After a gap in guarding it may look, hold or undo; it goes forward only on new evidence.
 * An undo goes on where it was.
 */
export function revive(before: Run, fact: FactOf<"conductor-started">): Decision {
  const { verdict: _, ...unheard } = before;
  const run: Run = {
    ...unheard,
    ...(fact.clearance === undefined ? {} : { clearance: fact.clearance }),
    epoch: fact.epoch,
    isEvidenced: false,
    isHaltAsked: false,
  };
  switch (run.phase.kind) {
    case "preparing":
      return after(order(run, announced(run)), resend(run));
    case "gating":
    case "moving":
    case "holding":
    case "finishing":
      return lookAgainFirst(run);
    case "halted":
      return run.phase.withdrawn === undefined
        ? lookAgainFirst(run)
        : after(
            again(run),
            sitOutAgain(run, run.phase.withdrawn, `${STARTED_AGAIN}; new instances are out of traffic`),
          );
    case "withdrawn":
      if (run.phase.why !== undefined) return after(again(run), sitOutAgain(run, run.phase.regions, run.phase.why));
      return trip(
        { ...run, pending: {} },
        {
          kind: "guard",
          text: `the conductor died while new instances were under suspicion (${before.verdict?.reason ?? "no reason kept"})`,
          at: fact.at,
          ...lastTouched(run),
        },
      );
    case "undoing": {
      const again = askAgain(run);
      return after(after(mark(again.run), again), resend(run));
    }
    case "withdrawing":
    case "backing-up":
    case "checking":
    case "confirming":
      return after(mark(run), resend(run));
    case "ended":
      return stay(run);
  }
}

const STARTED_AGAIN = "the conductor was started again";

const lookAgainFirst = (run: Run): Decision =>
  after(again(run), lookFirst({ ...run, pending: {} }, `${STARTED_AGAIN}; looking at the world first`));

const again = (run: Run): Decision => after(order(run, announced(run)), mark(run));

const mark = (run: Run): Decision =>
  order(run, [{ id: `mark:revived:${run.facts}`, kind: "mark", cause: { kind: "start" } }]);
