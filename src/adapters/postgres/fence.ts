import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fenceText } from "../../ports/fence.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Connection } from "./connect.ts";
import type { Target } from "./target.ts";

/**
 * Remembers the fence, in the transaction that `db` is in. From then on nothing lower is accepted. The row stays locked until
 * that transaction ends, so two changes never overlap, even when a dead runner's is still under way. Rejects `FENCED`.
 */
export const raiseFence = async (db: Connection, target: Target, fence: Fence): Promise<void> => {
  const raised = await db.query(RAISE, [fence.epoch, fence.seq]);
  if (raised.length > 0) return;
  const [row] = await db.query("select epoch, seq from midflight.fence");
  const seen = fenceText({ epoch: Number(row?.["epoch"]), seq: Number(row?.["seq"]) });
  throw new UpgradeError("FENCED", `${target.place} refused ${fenceText(fence)}: it has seen ${seen}, which is later`, {
    hint: "look at `midflight status` to see who acts now; nothing was changed here",
  });
};

const RAISE = `
insert into midflight.fence as f (id, epoch, seq) values (1, $1, $2)
on conflict (id) do update set epoch = excluded.epoch, seq = excluded.seq, raised_at = pg_catalog.now()
where (f.epoch, f.seq) <= (excluded.epoch, excluded.seq)
returning 1`;
