import { after, cancelPending, go, notify, stay } from "../decision.ts";
import type { Cause, Decision, Run } from "../run.ts";
import { undoPlan } from "../undo-items.ts";
import { refuse } from "./preparing.ts";
import { startUndo } from "./undoing.ts";
import { withdrawals } from "./withdrawn.ts";

/** Turns the run back. Users first: new instances leave traffic at once, then everything goes back in reverse order. */
export function trip(run: Run, cause: Cause): Decision {
  if (run.touched.length === 0) return refuse(run, cause.text);
  const effects = withdrawals(run, []);
  const rest = cancelPending(run);
  const told: Run = {
    ...rest.run,
    cause,
    isEvidenced: false,
    ...(effects.length === 0 ? {} : { withdrawnAt: run.withdrawnAt ?? cause.at }),
  };
  const tripped: Run = { ...told, kept: undoPlan(told).kept };
  const news = notify(run, "tripped", `turning back: ${cause.text}`);
  if (effects.length === 0) return after({ run: tripped, effects: [...rest.effects, news] }, startUndo(tripped));
  return after(rest, go(tripped, { kind: "withdrawing" }, [...effects, news]));
}

/** Takes back a run that had been promoted. A step without a way back forbids it. */
export function rollback(run: Run, cause: Cause): Decision {
  return undoPlan({ ...run, cause }).beyond === undefined
    ? trip({ ...run, undone: [], stranded: [] }, cause)
    : stay(run);
}

/** The suspect where nothing better is known: the last move that may have changed the world. */
export const lastTouched = (run: Run): Pick<Cause, "suspect"> => {
  const last = run.touched.at(-1);
  return last === undefined ? {} : { suspect: last };
};
