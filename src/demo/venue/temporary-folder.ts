import { access, chmod, constants, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardFolder } from "./guardian.ts";

/** Logs of the engines and data of the store grow by some 100 MB in an hour of the demo. */
const ROOM_BYTES = 1024 ** 3;
const MEMORY = "/dev/shm";

/**
 * A folder that is gone when the stack unwinds, and also when this process dies without unwinding anything.
 * In memory where there is room: nothing in it is kept, and a busy disk must not look like a slow venue.
 */
export async function temporaryFolder(stack: AsyncDisposableStack): Promise<{ readonly path: string }> {
  const path = await mkdtemp(join((await hasRoom(MEMORY)) ? MEMORY : tmpdir(), "midflight-venue-"));
  // PostgreSQL runs as another user when we are root, and must find its way through.
  await chmod(path, 0o711);
  const leave = guardFolder(path);
  stack.defer(async () => {
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    leave();
  });
  return { path };
}

async function hasRoom(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= ROOM_BYTES;
  } catch {
    return false;
  }
}
