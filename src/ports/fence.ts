/**
 * The fencing token on every write that can carry one: the lease's epoch, then the sequence number of the journal
 * record that ordered the write. Targets remember the highest and refuse anything lower.
 */
export type Fence = { readonly epoch: number; readonly seq: number };

/** `7.42`, as it travels in headers and rows. */
export const fenceText = (fence: Fence): string => `${fence.epoch}.${fence.seq}`;
