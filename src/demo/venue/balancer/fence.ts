/** Orders the writes of conductors: a later one has a higher epoch, or the same epoch and a higher sequence number. */
export type Fence = { readonly epoch: number; readonly seq: number };

export const NO_FENCE: Fence = { epoch: 0, seq: 0 };

/** Reads `<epoch>.<seq>`; `undefined` for anything else. */
export const parseFence = (text: string): Fence | undefined => {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  return match === null ? undefined : { epoch: Number(match[1]), seq: Number(match[2]) };
};

export const formatFence = ({ epoch, seq }: Fence): string => `${epoch}.${seq}`;

/** Negative when `left` is the older one. */
const compareFences = (left: Fence, right: Fence): number => left.epoch - right.epoch || left.seq - right.seq;

/**
 * Whether a write with this header may pass, and the highest fence seen afterwards. A write without a fence passes
 * only until the first fenced one.
 */
export const admitWrite = (
  header: string | undefined,
  highest: Fence,
): { readonly isAdmitted: boolean; readonly highest: Fence } => {
  if (header === undefined) return { isAdmitted: compareFences(highest, NO_FENCE) === 0, highest };
  const fence = parseFence(header);
  if (fence === undefined || compareFences(fence, highest) < 0) return { isAdmitted: false, highest };
  return { isAdmitted: true, highest: fence };
};
