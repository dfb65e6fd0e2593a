/** Calls back at an even rate, without ever catching up: a slot that this thread missed stays missed. */
export const startPacer = (perSec: number, onSlot: (slot: number) => void): { readonly stop: () => void } => {
  const everyMs = 1000 / perSec;
  const startedAt = performance.now();
  let slot = 0;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const due = startedAt + (slot + 1) * everyMs;
    timer = setTimeout(fire, Math.max(0, due - performance.now()));
  };
  const fire = (): void => {
    const current = Math.floor((performance.now() - startedAt) / everyMs + 0.01);
    slot = Math.max(slot + 1, current);
    onSlot(slot);
    arm();
  };
  arm();
  return { stop: () => clearTimeout(timer) };
};
