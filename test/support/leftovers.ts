import { existsSync, readdirSync, readFileSync } from "node:fs";
import { until } from "./cli.ts";

/** What a process has around itself: everything that descends from it or carries a mark in its environment, and their folders. Linux only. */
export type Surroundings = { readonly processes: readonly Process[]; readonly folders: readonly string[] };
type Process = { readonly pid: string; readonly parent: string; readonly start: string; readonly words: string };

/** `marks` are folders that only this process and its children were told of. */
export function surroundingsOf(pid: number, marks: readonly string[]): Surroundings {
  const all = allProcesses();
  const family = new Set([String(pid)]);
  for (let size = 0; size < family.size;) {
    size = family.size;
    for (const one of all) if (family.has(one.parent) || isMarked(one, marks)) family.add(one.pid);
  }
  const processes = all.filter((one) => family.has(one.pid));
  const folders = processes.flatMap((one) =>
    [...`${one.words} ${environment(one.pid)}`.matchAll(/\/[\w/. -]*?\/midflight-(?:venue|work)-\w+/g)].map(
      ([path]) => path,
    ),
  );
  return { processes, folders: [...new Set(folders)] };
}

/** What is still there of it after this time; nothing, as soon as nothing is. */
export async function leftOf(
  known: Surroundings,
  pid: number,
  marks: readonly string[],
  limitMs: number,
): Promise<readonly string[]> {
  const left = () => [
    ...processesLeft(known, pid, marks),
    ...known.folders.filter((path) => existsSync(path)),
    ...marks.slice(0, 1).flatMap((mark) => readdirSync(mark)),
  ];
  await until("nothing is left", () => left().length === 0, limitMs).catch(() => {});
  return left();
}

function processesLeft(known: Surroundings, pid: number, marks: readonly string[]): readonly string[] {
  const now = new Set(allProcesses().map((one) => `${one.pid} ${one.start}`));
  const same = known.processes.filter((one) => now.has(`${one.pid} ${one.start}`));
  return [...same, ...surroundingsOf(pid, marks).processes].map((one) => `${one.pid} ${one.words}`);
}

function allProcesses(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      // After the name in brackets: state, parent, …, and as the 20th the start time. A dead one that waits for its parent is gone.
      const [state = "Z", parent = "", ...rest] = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
      return state === "Z" || state === ""
        ? []
        : [{ pid, parent, start: rest[17] ?? "", words: read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() }];
    });
}

const isMarked = ({ pid, words }: Process, marks: readonly string[]): boolean =>
  marks.some((mark) => words.includes(mark) || environment(pid).includes(mark));
const environment = (pid: string): string => read(`/proc/${pid}/environ`).replaceAll("\0", "\n");

const read = (file: string): string => {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
};
