import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HeldLease } from "../../ports/lease.ts";
import type { Claim, LeaseTimes, Turns } from "../../ports/turns.ts";

/** One key that was taken, and which turn of it. */
export type Taken = { readonly key: string; readonly turns: Turns; readonly turn: number };

/** Renews until released. `lost` fires when another claim stands, or when the last renewal was sent too long ago: the disk stood still, or this process did. */
export function heartbeat(
  taken: readonly Taken[],
  claim: Claim,
  { clock, times, sentAt }: { readonly clock: Clock; readonly times: LeaseTimes; readonly sentAt: number },
): Pick<HeldLease, "lost" | "release"> {
  const lost = new AbortController();
  const stop = new AbortController();
  let lastSent = sentAt;
  let failure: unknown;

  const lose = (why: string): void => {
    lost.abort(
      new UpgradeError("LEASE_LOST", `run ${claim.holder.run} lost its lease: ${why}`, {
        hint: "look at `midflight status`: another conductor may act now",
        cause: failure,
      }),
    );
    stop.abort();
  };
  const isLate = (): boolean => clock.monotonic() - lastSent >= times.giveUpAfterMs;
  const late = (): string =>
    `it was not renewed for ${Math.round(clock.monotonic() - lastSent)} ms, because this process stood still, or what the lease is kept on`;

  const renew = async (count: number): Promise<void> => {
    const sent = clock.monotonic();
    try {
      for (const { key, turns, turn } of taken) {
        const standing = await turns.standing(turn, claim);
        if (standing === "overtaken") return lose(`${key} was taken over`);
        if (standing === "removed") return lose(`what was kept of ${key} was removed`);
        await turns.beat(turn, count);
      }
      lastSent = sent;
    } catch (error) {
      // Tried again until it is too late: a disk may stumble.
      failure = error;
    }
  };
  const renewing = async (): Promise<void> => {
    for (let count = 1; !stop.signal.aborted; count += 1) {
      if (isLate()) return lose(late());
      await renew(count);
      await clock.sleep(times.renewEveryMs, stop.signal);
    }
  };
  // Beside the renewals, because one of them may hang for ever.
  const watching = async (): Promise<void> => {
    while (!isLate()) await clock.sleep(Math.max(1, lastSent + times.giveUpAfterMs - clock.monotonic()), stop.signal);
    lose(late());
  };
  const untilStopped = (loop: Promise<void>): Promise<void> =>
    loop.catch((error: unknown) => {
      if (!stop.signal.aborted) lose(String(error));
    });
  const renewals = untilStopped(renewing());
  if (Number.isFinite(times.giveUpAfterMs)) void untilStopped(watching());

  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    stop.abort();
    await renewals;
    for (const { turns, turn } of taken) if ((await turns.standing(turn, claim)) === "last") await turns.release(turn);
  };
  return { lost: lost.signal, release: () => (released ??= release()) };
}
