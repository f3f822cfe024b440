import assert from "node:assert/strict";
import { createClient } from "./client/client/index.js";
import { client as gateway } from "./client/client.gen.js";
import {
  getCustomer,
  listConnections,
  listCustomers,
  listCustomerTransactions,
  listTransactions,
  type ListCustomersData,
  type Problem,
} from "./client/index.js";

type Query = NonNullable<ListCustomersData["query"]>;

const { GATEWAY_URL, GATEWAY_KEY, SPENT_KEY, LATER_URL } = process.env;

// docs:authenticate
gateway.setConfig({ baseUrl: GATEWAY_URL!, auth: GATEWAY_KEY });
// docs:end

// docs:walk
async function* customers(query: Query) {
  let cursor: string | undefined;
  let retries = 0;
  while (true) {
    const { data, error, response } = await listCustomers({ query: { ...query, limit: 100, cursor } });
    if (data) {
      yield* data.data;
      if (!data.page.next_cursor) return;
      cursor = data.page.next_cursor;
      retries = 0;
    } else if (!error?.retryable || ++retries > 5) {
      throw new Error(error?.detail, { cause: error });
    }
    const wait = response?.headers.get("Retry-After") ?? (data ? 0 : 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(wait)));
  }
}
// docs:end

// Returns the first page of a query.
async function page(query: Query) {
  const { data } = await listCustomers({ query, throwOnError: true });
  return data;
}

// Reads a whole list. Checks that no customer comes twice.
async function idsOf(query: Query) {
  const ids: string[] = [];
  for await (const { id } of customers(query)) ids.push(id);
  assert.equal(new Set(ids).size, ids.length);
  return ids;
}

// Every customer of both connections, once each, as one list.
assert.equal((await idsOf({ connection: ["affiliates", "tax"] })).length, 12_500);

// Problems with `Retry-After`, for the first page and for the second.
assert.equal((await idsOf({ connection: ["busy"] })).length, 150);

// A page without the rows of a failed connection, which follow after the wait.
const recovered = await idsOf({ connection: ["recovering", "busy"], partial: "allow" });
assert.equal(recovered.length, 153);
assert(recovered[100]?.startsWith("recovering."), recovered[100]);

// Arrays as parameters.
const expanded = await page({ connection: ["affiliates"], expand: ["partner", "program"] });
assert(expanded.data.some(({ referral }) => referral?.partner?.id && referral.program?.id));
const platforms = await page({ connection: ["tax"], source_platform: ["stripe", "xero"], limit: 100 });
assert.deepEqual(new Set(platforms.data.map(({ tax }) => tax?.source_platform)), new Set(["stripe", "xero"]));

const statuses = await page({ connection: ["affiliates"], status: ["active", "lead"], limit: 100 });
assert.deepEqual(new Set(statuses.data.map(({ status }) => status)), new Set(["active", "lead"]));

// Selected fields, and `id`.
const selected = await page({ connection: ["affiliates"], fields: ["email", "referral.partner_id"] });
assert(selected.data.some(({ email, referral }) => email && referral?.partner_id));
assert(selected.data.every(({ id, status, referral }) => id && status === undefined && referral?.program_id === undefined));

// The number of customers, without a row.
const counted = await page({ connection: ["affiliates"], limit: 0 });
assert.deepEqual([counted.data.length, counted.page.total], [0, 10_000]);

// The links of a page.
const linked = await listCustomers({ query: { connection: ["tax"] } });
const next = linked.data!.page.next_cursor!;
assert.match(linked.response!.headers.get("link")!, new RegExp(`<[^>]*cursor=${next}[^>]*>; rel="next"`));

// Date-times as parameters.
const [, second] = expanded.data;
const instant = new Date(second!.created_at!);
const moment = { created_gte: instant.toISOString(), created_lte: instant.toISOString() };
const then = await page({ connection: ["affiliates"], ...moment });
assert(then.data.some(({ id }) => id === second!.id));
assert(then.data.every(({ created_at }) => new Date(created_at!).getTime() === instant.getTime()));

// One customer and its transactions.
const transactions = await listTransactions({ query: { connection: ["affiliates"], limit: 1 } });
const id = transactions.data!.data[0]!.customer_id!;
const customer = await getCustomer({ path: { id }, throwOnError: true });
assert.equal(customer.data.id, id);
const own = await listCustomerTransactions({ path: { id }, throwOnError: true });
assert(own.data.data.length);
assert(own.data.data.every(({ customer_id, amount }) => customer_id === id && typeof amount === "number"));

// Several customers by id, in the order of the request.
const { id: taxpayer, email } = platforms.data[0]!;
const batch = await page({ id: [taxpayer, "affiliates.cust_nobody", id, taxpayer] });
assert.deepEqual(batch.data.map(({ id }) => id), [taxpayer, id]);
assert.deepEqual(batch.sources.map(({ not_found }) => not_found), [["affiliates.cust_nobody"], []]);

// A customer by email address.
assert((await idsOf({ connection: ["affiliates", "tax"], email: email!.toUpperCase() })).includes(taxpayer));

// A conditional request: 304 without a body if nothing has changed.
const etag = customer.response.headers.get("etag")!;
const unchanged = await getCustomer({ path: { id }, headers: { "If-None-Match": etag } });
assert.equal(unchanged.response?.status, 304);

// Problems.
function refused({ error, response }: { error?: Problem; response?: Response }, status: number, code: string) {
  assert.equal(response?.status, status);
  assert.equal(error?.code, code);
  const wait = response.headers.get("retry-after");
  assert.equal(error.retry_after, wait === null ? undefined : Number(wait));
  return response.headers;
}
const ask = (query: Query) => listCustomers({ query });
refused(await ask({ connection: ["tax"], limit: 101 }), 400, "invalid_parameter");
refused(await ask({ connection: ["tax"], cursor: "nonsense" }), 400, "invalid_cursor");
const stranger = createClient({ baseUrl: GATEWAY_URL!, auth: "wrong" });
refused(await listConnections({ client: stranger }), 401, "unauthenticated");
refused(await getCustomer({ path: { id: "affiliates.cust_nobody" } }), 404, "customer_not_found");
refused(await ask({ connection: ["failing"] }), 502, "vendor_error");
const limited = refused(await ask({ connection: ["limited"] }), 503, "vendor_rate_limited");
assert(Number(limited.get("retry-after")) > 50);
const spender = createClient({ baseUrl: GATEWAY_URL!, auth: SPENT_KEY });
const spent = refused(await listConnections({ client: spender }), 429, "quota_exceeded");
assert(Number(spent.get("retry-after")) > 50);
assert.match(spent.get("ratelimit")!, /^"quota";r=0;t=\d+$/);

// Vendors that send unknown fields and values.
const drifting = await page({ connection: ["drifting"], expand: ["partner"], include: ["raw"] });
assert.deepEqual(
  drifting.data.map(({ status, name }) => [status, name]),
  [
    ["hibernating", "Jim"],
    [null, null],
    [null, null],
  ],
);
assert.equal(drifting.data[0]?.referral?.partner?.status, "dormant");
assert(drifting.data[0]?.raw && "unheard_of" in drifting.data[0].raw);
const tax = await page({ connection: ["drifting-tax"], expand: ["exemption", "shipping_address"] });
assert.equal(tax.data[0]?.tax?.source_platform, "abacus");
assert.deepEqual(tax.data[0]?.tax?.exemption?.certificate_types, ["VERBAL"]);
assert.equal(tax.data[1]?.tax?.exemption, undefined);

// A gateway of a later version, which sends members that the document lacks.
const later = createClient({ baseUrl: LATER_URL! });
const { data: told } = await listCustomers({ client: later, throwOnError: true });
assert.equal(told.data.length, 2);
