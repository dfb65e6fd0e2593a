import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardFolder } from "./guardian.ts";

/** A folder that is gone when the stack unwinds, and also when this process dies without unwinding anything. */
export async function temporaryFolder(stack: AsyncDisposableStack): Promise<{ readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "midflight-venue-"));
  const leave = guardFolder(path);
  stack.defer(async () => {
    await rm(path, { recursive: true, force: true });
    leave();
  });
  return { path };
}
