/** Collects outcomes by the time at which their operations were issued, and hands a bin out when every one of them has ended. */
export type Bins<Outcome> = {
  /** Announces an operation that is issued now; the function takes its outcome, undefined for one that says nothing. */
  issue(): (outcome: Outcome | undefined) => void;
  /** Hands out bins that are over and complete. Call it often. */
  flush(): void;
};

export type ClosedBin<Outcome> = { readonly from: number; readonly to: number; readonly outcomes: readonly Outcome[] };

/** `now` is monotonic ms. Bins come in order, each once. */
export const collectBins = <Outcome>(
  widthMs: number,
  now: () => number,
  onBin: (bin: ClosedBin<Outcome>) => void,
): Bins<Outcome> => {
  type Open = { readonly index: number; pending: number; readonly outcomes: Outcome[] };
  let open: Open[] = [];
  let next = Math.floor(now() / widthMs);
  const binAt = (index: number): Open => {
    const known = open.find((bin) => bin.index === index);
    if (known !== undefined) return known;
    const bin: Open = { index, pending: 0, outcomes: [] };
    open.push(bin);
    return bin;
  };
  const flush = (): void => {
    for (const current = Math.floor(now() / widthMs); next < current; next++) {
      const bin = open.find(({ index }) => index === next);
      if (bin !== undefined && bin.pending > 0) return;
      open = open.filter(({ index }) => index !== next);
      onBin({ from: next * widthMs, to: (next + 1) * widthMs, outcomes: bin?.outcomes ?? [] });
    }
  };
  return {
    issue() {
      const bin = binAt(Math.floor(now() / widthMs));
      bin.pending++;
      return (outcome) => {
        bin.pending--;
        if (outcome !== undefined) bin.outcomes.push(outcome);
        flush();
      };
    },
    flush,
  };
};
