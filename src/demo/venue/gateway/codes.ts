/** The text and the HTTP status that belong to each OKX V5 code the gateway answers with. */
type Entry = { readonly http: number; readonly msg: string };

const CODES: Readonly<Record<string, Entry>> = {
  "0": { http: 200, msg: "" },
  "50000": { http: 400, msg: "Body for POST request can't be empty" },
  "50001": { http: 503, msg: "Service temporarily unavailable" },
  "50002": { http: 400, msg: "JSON syntax error" },
  "50007": { http: 200, msg: "This account is blocked" },
  "50011": { http: 429, msg: "Requests too frequent" },
  "50013": { http: 429, msg: "Systems are busy. Please try again later" },
  "50014": { http: 400, msg: "Parameter {0} can not be empty" },
  "50015": { http: 400, msg: "Either parameter {0} or {1} is required" },
  "50016": { http: 400, msg: "Parameter {0} and {1} is an invalid pair" },
  "50026": { http: 500, msg: "System error. Try again later" },
  "50036": { http: 200, msg: "The expTime can't be earlier than the current system time" },
  "50037": { http: 200, msg: "Order expired" },
  "50101": { http: 401, msg: "APIKey does not match current environment" },
  "50102": { http: 401, msg: "Timestamp request expired" },
  "50103": { http: 401, msg: 'Request header "OK-ACCESS-KEY" can\'t be empty' },
  "50104": { http: 401, msg: 'Request header "OK-ACCESS-PASSPHRASE" can\'t be empty' },
  "50105": { http: 401, msg: 'Request header "OK-ACCESS-PASSPHRASE" incorrect' },
  "50106": { http: 401, msg: 'Request header "OK-ACCESS-SIGN" can\'t be empty' },
  "50107": { http: 401, msg: 'Request header "OK-ACCESS-TIMESTAMP" can\'t be empty' },
  "50111": { http: 401, msg: "Invalid OK-ACCESS-KEY" },
  "50112": { http: 401, msg: "Invalid OK-ACCESS-TIMESTAMP" },
  "50113": { http: 401, msg: "Invalid Sign" },
  "51000": { http: 400, msg: "Parameter {0} error" },
  "51001": { http: 200, msg: "Instrument ID does not exist" },
  "51008": { http: 200, msg: "Order failed. Insufficient account balance" },
  "51016": { http: 200, msg: "Client order ID already exists" },
  "51020": { http: 200, msg: "Your order should meet or exceed the minimum order amount" },
  "51121": { http: 200, msg: "Order quantity must be a multiple of the lot size" },
  "51137": { http: 200, msg: "The highest price limit for buy orders is {0}" },
  "51138": { http: 200, msg: "The lowest price limit for sell orders is {0}" },
  "51149": { http: 500, msg: "Order timed out. The outcome is unknown: query the order before sending it again" },
  "51203": { http: 200, msg: "Order amount exceeds the limit" },
  "51400": { http: 200, msg: "Cancellation failed as the order has been filled, canceled or does not exist" },
  "51503": { http: 200, msg: "Your order has already been filled or canceled" },
  "51603": { http: 200, msg: "Order does not exist" },
};

/** The text of a code; `{0}` and `{1}` are filled from `parts`. */
export const msgOf = (code: string, ...parts: readonly string[]): string =>
  (CODES[code]?.msg ?? "Operation failed").replaceAll(/\{(\d)\}/g, (_, index: string) => parts[Number(index)] ?? "");

/** The HTTP status of a code; refusals on the merits of an order come with 200, as unknown codes do. */
export const httpOf = (code: string): number => CODES[code]?.http ?? 200;
