/** A cold start begins at this share of the full rate. */
const COLD = 0.2;
/** A slot that is later than this stays missed: what is left of a stall must not come as a burst. */
const LATE_MS = 5;

/**
 * Calls back at an even rate, without ever catching up: a slot that this thread missed stays missed. Timers wake no oftener than once in a
 * millisecond, so at a high rate all slots that became due meanwhile are taken together. Over the first `warmMs` the rate rises
 * to its full height: whoever is asked has just started, and compiles itself with every answer, on the processors that serve users.
 */
export const startPacer = (
  perSec: number,
  onSlot: (slot: number) => void,
  how: { readonly warmMs?: number; readonly note?: (lateMs: number, isTaken: boolean) => void } = {},
): { readonly stop: () => void } => {
  const { slotAt, dueOf } = rhythm(perSec, how.warmMs ?? 0);
  const startedAt = performance.now();
  let slot = 0;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timer = setTimeout(fire, Math.max(0, startedAt + dueOf(slot + 1) - performance.now()));
  };
  const fire = (): void => {
    const ms = performance.now() - startedAt;
    for (const { due, lateMs, isTaken } of slotsDue(slot, Math.floor(slotAt(ms) + 0.01), (one) => ms - dueOf(one))) {
      slot = due;
      how.note?.(lateMs, isTaken);
      if (isTaken) onSlot(due);
    }
    arm();
  };
  arm();
  return { stop: () => clearTimeout(timer) };
};

/** The slots after `last` up to `due`, and which of them are still taken: those hardly late, and in any case the newest. */
export function* slotsDue(
  last: number,
  due: number,
  lateOf: (slot: number) => number,
): Generator<{ readonly due: number; readonly lateMs: number; readonly isTaken: boolean }> {
  for (let slot = last + 1; slot <= due; slot++) {
    const lateMs = Math.max(0, lateOf(slot));
    yield { due: slot, lateMs, isTaken: slot === due || lateMs <= LATE_MS };
  }
}

/** How many slots have passed after so many ms, and after how many ms a slot is due: each is the inverse of the other. */
export const rhythm = (perSec: number, warmMs: number) => {
  const perMs = perSec / 1000;
  const lostMs = (warmMs * (1 - COLD)) / 2;
  const rise = warmMs === 0 ? 0 : (1 - COLD) / (2 * warmMs);
  return {
    slotAt: (ms: number): number => perMs * (ms < warmMs ? COLD * ms + rise * ms * ms : ms - lostMs),
    dueOf: (slot: number): number => {
      const fullMs = slot / perMs;
      if (fullMs >= warmMs - lostMs) return fullMs + lostMs;
      return (Math.sqrt(COLD * COLD + 4 * rise * fullMs) - COLD) / (2 * rise);
    },
  };
};
