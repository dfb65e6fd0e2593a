/** A cold start begins at this share of the full rate. */
const COLD = 0.2;

/**
 * Calls back at an even rate, without ever catching up: a slot that this thread missed stays missed. Over the first `warmMs` the rate rises
 * to its full height: whoever is asked has just started, and compiles itself with every answer, on the processors that serve users.
 */
export const startPacer = (
  perSec: number,
  onSlot: (slot: number) => void,
  warmMs = 0,
): { readonly stop: () => void } => {
  const { slotAt, dueOf } = rhythm(perSec, warmMs);
  const startedAt = performance.now();
  let slot = 0;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timer = setTimeout(fire, Math.max(0, startedAt + dueOf(slot + 1) - performance.now()));
  };
  const fire = (): void => {
    slot = Math.max(slot + 1, Math.floor(slotAt(performance.now() - startedAt) + 0.01));
    onSlot(slot);
    arm();
  };
  arm();
  return { stop: () => clearTimeout(timer) };
};

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
