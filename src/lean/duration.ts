export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly at: number; readonly why: string };
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
export function readDuration(text: string): Reading<number> {
  let total = 0;
  for (let at = 0; at < text.length; ) {
    const part = /^(\d+)(ms|[dhms])/.exec(text.slice(at));
    if (part === null) return { ok: false, at, why: "a number and then ms, s, m, h or d is expected" };
    total += Number(part[1]) * (UNITS[part[2] ?? ""] ?? 0);
    at += part[0].length;
  }
  return { ok: true, value: total };
}
export function readFrequency(text: string): Reading<number> {
  const found = /^(\d+) per (\d+ )?(minute|hour|day|week|month|year)s?$/.exec(text);
  if (found === null) return { ok: false, at: 0, why: "such as `1 per 30 days` is expected" };
  const lengths: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_592_000_000, year: 31_536_000_000 };
  return { ok: true, value: (Number(found[2] ?? "1") * (lengths[found[3] ?? ""] ?? 0)) / Number(found[1]) };
}
export function readPercent(text: string): Reading<number> {
  const found = /^(\d+(?:\.\d+)?)%$/.exec(text);
  return found === null ? { ok: false, at: 0, why: "such as 5%" } : { ok: true, value: Number(found[1]) };
}
export function readRate(text: string): Reading<number> {
  const found = /^(\d+)\/s$/.exec(text);
  return found === null ? { ok: false, at: 0, why: "such as 30/s" } : { ok: true, value: Number(found[1]) };
}
