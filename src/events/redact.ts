/** Shorter values would black out ordinary words. */
const SHORTEST_SECRET = 6;

/** Replaces secret values wherever they turn up, by value and not by field: in every text that leaves the process. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const values = [...new Set(secrets)]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length);
  // As it stands, and as it stands in a URL or in JSON.
  const forms = values.flatMap((value) => [
    ...new Set([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]),
  ]);
  return (text) => forms.reduce((clean, form) => clean.replaceAll(form, "(redacted)"), text);
}
