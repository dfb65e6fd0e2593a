import type { Story } from "./story.ts";

export const metadata2023: Story = {
  kind: "upgrade",
  name: "metadata-2023",
  title: "14 August 2023: a metadata update that breaks some accounts",
  plan: "metadata-2023.yaml",
  because: "the story shows what happens when a rehearsal is skipped",
  draw: (luck) => {
    const first = Math.floor(luck() * 10);
    const second = (first + 1 + Math.floor(luck() * 9)) % 10;
    const shards = luck() < 0.5 ? [first] : [first, second].toSorted((a, b) => a - b);
    return { text: `the metadata update takes the routes of account shard ${shards.join(" and ")}`, shards };
  },
  isByFault: ({ code }) => code === "50026",
  outcome: "undone",
  demands: (figures) => [
    ...(figures.tripMs === null ? ["no user operation failed, so the fault did not strike"] : []),
    ...(figures.rowsLost === 0 ? [] : [`${figures.rowsLost} rows that users wrote are gone`]),
  ],
  sentence: ({ failedByFault, operations, tripMs, lastFailureMs, undoMs }) =>
    `The update broke placing, amending and cancelling for some accounts: the guard spoke ${seconds(tripMs)} after the first failing operation, the last one failed after ${seconds(lastFailureMs)}, all was undone ${seconds(undoMs)} after the verdict; ${failedByFault} of ${operations} operations failed, and what users wrote meanwhile is there.`,
};

export const seconds = (ms: number | null): string => (ms === null ? "never" : `${(ms / 1000).toFixed(2)} s`);
