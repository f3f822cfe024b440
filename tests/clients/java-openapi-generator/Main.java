import gateway.ApiClient;
import gateway.ApiException;
import gateway.api.ConnectionsApi;
import gateway.api.CustomersApi;
import gateway.api.CustomersApi.APIGetCustomerRequest;
import gateway.api.CustomersApi.APIListCustomersRequest;
import gateway.api.TransactionsApi;
import gateway.api.TransactionsApi.APIListCustomerTransactionsRequest;
import gateway.api.TransactionsApi.APIListTransactionsRequest;
import gateway.model.Customer;
import gateway.model.CustomerExpansion;
import gateway.model.Include;
import gateway.model.Partial;
import gateway.model.Problem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

final class Main {
  // docs:authenticate
  static ApiClient authenticated(String url, String key) {
    var client = new ApiClient();
    client.updateBaseUri(url);
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + key));
    return client;
  }
  // docs:end

  // docs:walk
  static void customers(CustomersApi api, APIListCustomersRequest.Builder query, Consumer<Customer> each)
      throws ApiException, IOException, InterruptedException {
    String cursor = null;
    int retries = 0;
    while (true) {
      long wait;
      try {
        var response = api.listCustomersWithHttpInfo(query.limit(100).cursor(cursor).build());
        response.getData().getData().forEach(each);
        cursor = response.getData().getPage().getNextCursor();
        if (cursor == null) {
          return;
        }
        retries = 0;
        wait = Long.parseLong(response.getHeaders().getOrDefault("Retry-After", List.of("0")).get(0));
      } catch (ApiException exception) {
        if (retries == 5 || !isRetryable(exception)) {
          throw exception;
        }
        retries++;
        wait = exception.getResponseHeaders().firstValueAsLong("Retry-After").orElse(1);
      }
      Thread.sleep(1000 * wait);
    }
  }

  static boolean isRetryable(ApiException exception) throws IOException {
    var body = exception.getResponseBody();
    return body != null && ApiClient.createDefaultObjectMapper().readValue(body, Problem.class).getRetryable();
  }
  // docs:end

  private static final String GATEWAY_URL = System.getenv("GATEWAY_URL");
  private static final ApiClient GATEWAY = authenticated(GATEWAY_URL, System.getenv("GATEWAY_KEY"));
  private static final CustomersApi CUSTOMERS = new CustomersApi(GATEWAY);

  public static void main(String[] arguments) throws Exception {
    // Every customer of both connections, once each, as one list.
    var all = idsOf(of("affiliates", "tax"));
    check(all.size() == 12_500, all.size());

    // Problems with `Retry-After`, for the first page and for the second.
    var busy = idsOf(of("busy"));
    check(busy.size() == 150, busy.size());

    // A page without the rows of a failed connection, which follow after the wait.
    var recovered = idsOf(of("recovering", "busy").partial(Partial.ALLOW));
    check(recovered.size() == 153, recovered.size());
    check(recovered.get(100).startsWith("recovering."), recovered.get(100));

    parameters();
    selections();
    oneCustomer();
    lookups();
    problems();
    drift();

    // A gateway of a later version, which sends members that the document lacks.
    var client = new ApiClient();
    client.updateBaseUri(System.getenv("LATER_URL"));
    var later = new CustomersApi(client).listCustomers(APIListCustomersRequest.newBuilder().build());
    check(later.getData().size() == 2, later);
  }

  /** Reads a whole list. Checks that no customer comes twice. */
  private static List<String> idsOf(APIListCustomersRequest.Builder query) throws Exception {
    var ids = new ArrayList<String>();
    customers(CUSTOMERS, query, customer -> ids.add(customer.getId()));
    check(new HashSet<>(ids).size() == ids.size(), ids);
    return ids;
  }

  /** Passes arrays and date-times as parameters. */
  private static void parameters() throws ApiException {
    var expand = List.of(CustomerExpansion.PARTNER, CustomerExpansion.PROGRAM);
    var expanded = CUSTOMERS.listCustomers(of("affiliates").expand(expand).build()).getData();
    var referrals = expanded.stream().map(Customer::getReferral);
    check(referrals.anyMatch(row -> row != null && row.getPartner() != null && row.getProgram() != null), expanded);

    var platforms = of("tax").sourcePlatform(List.of("stripe", "xero")).limit(100).build();
    var found = CUSTOMERS.listCustomers(platforms).getData().stream().map(row -> row.getTax().getSourcePlatform());
    check(found.collect(Collectors.toSet()).equals(Set.of("stripe", "xero")), platforms);

    var several = CUSTOMERS.listCustomers(of("affiliates").status(List.of("active", "lead")).limit(100).build());
    var statuses = several.getData().stream().map(Customer::getStatus).collect(Collectors.toSet());
    check(statuses.equals(Set.of("active", "lead")), statuses);

    var second = expanded.get(1);
    var instant = second.getCreatedAt();
    var moment = of("affiliates").createdGte(instant).createdLte(instant).build();
    var then = CUSTOMERS.listCustomers(moment).getData();
    check(then.stream().anyMatch(row -> row.getId().equals(second.getId())), then);
    check(then.stream().allMatch(row -> row.getCreatedAt().isEqual(instant)), then);
  }

  /** Selects fields, counts without reading a row, and reads the links of a page. */
  private static void selections() throws ApiException {
    var fields = of("affiliates").fields(List.of("email", "referral.partner_id")).build();
    var rows = CUSTOMERS.listCustomers(fields).getData();
    check(rows.stream().anyMatch(row -> row.getEmail() != null && row.getReferral() != null), rows);
    check(rows.stream().allMatch(row -> row.getId() != null && row.getStatus() == null), rows);
    check(rows.stream().map(Customer::getReferral).allMatch(row -> row == null || row.getProgramId() == null), rows);

    var counted = CUSTOMERS.listCustomers(of("affiliates").limit(0).build());
    check(counted.getData().isEmpty() && counted.getPage().getTotal() == 10_000, counted);

    var linked = CUSTOMERS.listCustomersWithHttpInfo(of("tax").build());
    var link = "<[^>]*cursor=" + linked.getData().getPage().getNextCursor() + "[^>]*>; rel=\"next\"";
    var links = linked.getHeaders().get("Link").get(0);
    check(Pattern.compile(link).matcher(links).find(), links);
  }

  /** Reads one customer and its transactions. */
  private static void oneCustomer() throws ApiException {
    var api = new TransactionsApi(GATEWAY);
    var affiliates = APIListTransactionsRequest.newBuilder().connection(List.of("affiliates")).limit(1).build();
    var id = api.listTransactions(affiliates).getData().get(0).getCustomerId();
    var customer = CUSTOMERS.getCustomerWithHttpInfo(one(id).build());
    check(customer.getData().getId().equals(id), customer.getData());
    var own = api.listCustomerTransactions(APIListCustomerTransactionsRequest.newBuilder().id(id).build()).getData();
    check(!own.isEmpty(), own);
    check(own.stream().allMatch(row -> row.getCustomerId().equals(id) && row.getAmount() != null), own);

    // A conditional request: 304 without a body if nothing has changed.
    var etag = customer.getHeaders().get("etag").get(0);
    var unchanged = thrown(() -> CUSTOMERS.getCustomer(one(id).ifNoneMatch(etag).build()));
    check(unchanged.getCode() == 304, unchanged);
  }

  /** Looks customers up by id and by email address. */
  private static void lookups() throws Exception {
    var affiliate = CUSTOMERS.listCustomers(of("affiliates").limit(1).build()).getData().get(0);
    var taxpayer = CUSTOMERS.listCustomers(of("tax").limit(1).build()).getData().get(0);

    // Several customers by id, in the order of the request.
    var ids = List.of(taxpayer.getId(), "affiliates.cust_nobody", affiliate.getId(), taxpayer.getId());
    var batch = CUSTOMERS.listCustomers(APIListCustomersRequest.newBuilder().id(ids).build());
    var found = batch.getData().stream().map(Customer::getId).toList();
    check(found.equals(List.of(taxpayer.getId(), affiliate.getId())), found);
    var missing = batch.getSources().stream().map(source -> source.getNotFound()).toList();
    check(missing.equals(List.of(List.of("affiliates.cust_nobody"), List.of())), missing);

    var all = idsOf(of("affiliates", "tax").email(taxpayer.getEmail().toUpperCase()));
    check(all.contains(taxpayer.getId()), all);
  }

  private static void problems() throws IOException {
    refused(400, "invalid_parameter", () -> CUSTOMERS.listCustomers(of("tax").limit(101).build()));
    refused(400, "invalid_cursor", () -> CUSTOMERS.listCustomers(of("tax").cursor("nonsense").build()));
    var stranger = authenticated(GATEWAY_URL, "wrong");
    refused(401, "unauthenticated", () -> new ConnectionsApi(stranger).listConnections());
    refused(404, "customer_not_found", () -> CUSTOMERS.getCustomer(one("affiliates.cust_nobody").build()));
    refused(502, "vendor_error", () -> CUSTOMERS.listCustomers(of("failing").build()));
    var limited = refused(503, "vendor_rate_limited", () -> CUSTOMERS.listCustomers(of("limited").build()));
    check(limited.getResponseHeaders().firstValueAsLong("Retry-After").orElseThrow() > 50, limited);
    var spender = authenticated(GATEWAY_URL, System.getenv("SPENT_KEY"));
    var spent = refused(429, "quota_exceeded", () -> new ConnectionsApi(spender).listConnections());
    check(spent.getResponseHeaders().firstValueAsLong("Retry-After").orElseThrow() > 50, spent);
    check(spent.getResponseHeaders().firstValue("RateLimit").orElseThrow().startsWith("\"quota\";r=0;t="), spent);
  }

  /** Checks that the error is a problem, whose body this client leaves unparsed. */
  private static ApiException refused(int status, String code, Call call) throws IOException {
    var exception = thrown(call);
    var problem = GATEWAY.getObjectMapper().readValue(exception.getResponseBody(), Problem.class);
    check(exception.getCode() == status && problem.getCode().equals(code), exception);
    var wait = exception.getResponseHeaders().firstValueAsLong("Retry-After");
    check(wait.orElse(0) == (problem.getRetryAfter() == null ? 0 : problem.getRetryAfter()), problem);
    return exception;
  }

  /** Reads from vendors that send unknown fields and values. */
  private static void drift() throws ApiException {
    var drifting = of("drifting").expand(List.of(CustomerExpansion.PARTNER)).include(List.of(Include.RAW)).build();
    var rows = CUSTOMERS.listCustomers(drifting).getData();
    var first = rows.get(0);
    check(first.getStatus().equals("hibernating") && first.getName().equals("Jim"), first);
    check(rows.size() == 3, rows);
    check(rows.stream().skip(1).allMatch(row -> row.getStatus() == null && row.getName() == null), rows);
    check(first.getReferral().getPartner().getStatus().equals("dormant"), first);
    check(first.getRaw() instanceof java.util.Map<?, ?> raw && raw.containsKey("unheard_of"), first);

    var expand = List.of(CustomerExpansion.EXEMPTION, CustomerExpansion.SHIPPING_ADDRESS);
    var taxed = CUSTOMERS.listCustomers(of("drifting-tax").expand(expand).build()).getData();
    check(taxed.size() == 3, taxed);
    var tax = taxed.get(0).getTax();
    check(tax.getSourcePlatform().equals("abacus"), tax);
    check(tax.getExemption().getCertificateTypes().equals(List.of("VERBAL")), tax);
    check(taxed.get(1).getTax().getExemption() == null, taxed);
  }

  private static APIListCustomersRequest.Builder of(String... connections) {
    return APIListCustomersRequest.newBuilder().connection(List.of(connections));
  }

  private static APIGetCustomerRequest.Builder one(String id) {
    return APIGetCustomerRequest.newBuilder().id(id);
  }

  private interface Call {
    Object response() throws ApiException;
  }

  private static ApiException thrown(Call call) {
    try {
      throw new AssertionError(call.response());
    } catch (ApiException exception) {
      return exception;
    }
  }

  private static void check(boolean holds, Object said) {
    if (!holds) {
      throw new AssertionError(said);
    }
  }
}
