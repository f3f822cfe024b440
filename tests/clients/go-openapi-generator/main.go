package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"customers/gateway"
)

// docs:authenticate
func connect(url string) *gateway.APIClient {
	configuration := gateway.NewConfiguration()
	configuration.Servers = gateway.ServerConfigurations{{URL: url}}
	return gateway.NewAPIClient(configuration)
}

func authenticated(key string) context.Context {
	return context.WithValue(context.Background(), gateway.ContextAccessToken, key)
}

// docs:end

// docs:walk
func customers(query gateway.ApiListCustomersRequest) iter.Seq2[gateway.Customer, error] {
	return func(yield func(gateway.Customer, error) bool) {
		query := query.Limit(100)
		retries := 0
		for {
			page, response, err := query.Execute()
			if retries < 5 && isRetryable(err) {
				retries++
				time.Sleep(max(retryAfter(response), time.Second))
				continue
			}
			if err != nil {
				yield(gateway.Customer{}, err)
				return
			}
			for _, customer := range page.Data {
				if !yield(customer, nil) {
					return
				}
			}
			cursor := page.Page.NextCursor.Get()
			if cursor == nil {
				return
			}
			query = query.Cursor(*cursor)
			retries = 0
			time.Sleep(retryAfter(response))
		}
	}
}

func isRetryable(err error) bool {
	var apiError *gateway.GenericOpenAPIError
	if !errors.As(err, &apiError) {
		return false
	}
	problem, ok := apiError.Model().(gateway.Problem)
	return ok && problem.Retryable
}

func retryAfter(response *http.Response) time.Duration {
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second
}

// docs:end

func main() {
	log.SetFlags(log.Lshortfile)
	api, ctx := connect(os.Getenv("GATEWAY_URL")), authenticated(os.Getenv("GATEWAY_KEY"))

	// Every customer of both connections, once each, as one list.
	ids := idsOf(ask(ctx, api, "affiliates", "tax"))
	check(len(ids) == 12_500, len(ids))

	// Problems with `Retry-After`, for the first page and for the second.
	ids = idsOf(ask(ctx, api, "busy"))
	check(len(ids) == 150, len(ids))

	// A page without the rows of a failed connection, which follow after the wait.
	ids = idsOf(ask(ctx, api, "recovering", "busy").Partial(gateway.PARTIAL_ALLOW))
	check(len(ids) == 153, len(ids))
	check(strings.HasPrefix(ids[100], "recovering."), ids[100])

	parameters(ctx, api)
	selections(ctx, api)
	oneCustomer(ctx, api)
	lookups(ctx, api)
	problems(ctx, api)
	drift(ctx, api)

	// A gateway of a later version, which sends members that the document lacks.
	later := connect(os.Getenv("LATER_URL"))
	page := must(later.CustomersAPI.ListCustomers(context.Background()).Execute())
	check(len(page.Data) == 2, page)
}

// Reads a whole list. Checks that no customer comes twice.
func idsOf(query gateway.ApiListCustomersRequest) []string {
	ids, seen := []string{}, map[string]bool{}
	for customer, err := range customers(query) {
		check(err == nil, err)
		check(!seen[customer.Id], customer.Id, "came twice")
		seen[customer.Id] = true
		ids = append(ids, customer.Id)
	}
	return ids
}

// Passes arrays and date-times as parameters.
func parameters(ctx context.Context, api *gateway.APIClient) {
	expand := []gateway.CustomerExpansion{gateway.CUSTOMEREXPANSION_PARTNER, gateway.CUSTOMEREXPANSION_PROGRAM}
	expanded := must(ask(ctx, api, "affiliates").Expand(expand).Execute())
	check(slices.ContainsFunc(expanded.Data, func(customer gateway.Customer) bool {
		return customer.Referral != nil && customer.Referral.Partner != nil && customer.Referral.Program != nil
	}), expanded)

	platforms := must(ask(ctx, api, "tax").SourcePlatform([]string{"stripe", "xero"}).Limit(100).Execute())
	found := map[string]bool{}
	for _, customer := range platforms.Data {
		found[customer.Tax.GetSourcePlatform()] = true
	}
	check(len(found) == 2 && found["stripe"] && found["xero"], found)

	several := must(ask(ctx, api, "affiliates").Status([]string{"active", "lead"}).Limit(100).Execute())
	found = map[string]bool{}
	for _, customer := range several.Data {
		found[customer.GetStatus()] = true
	}
	check(len(found) == 2 && found["active"] && found["lead"], found)

	second := expanded.Data[1]
	instant := second.GetCreatedAt()
	then := must(ask(ctx, api, "affiliates").CreatedGte(instant).CreatedLte(instant).Execute())
	check(slices.ContainsFunc(then.Data, func(customer gateway.Customer) bool { return customer.Id == second.Id }), then)
	for _, customer := range then.Data {
		check(customer.GetCreatedAt().Equal(instant), customer)
	}
}

// Selects fields, counts without reading a row, and reads the links of a page.
func selections(ctx context.Context, api *gateway.APIClient) {
	selected := must(ask(ctx, api, "affiliates").Fields([]string{"email", "referral.partner_id"}).Execute())
	check(slices.ContainsFunc(selected.Data, func(customer gateway.Customer) bool {
		return customer.GetEmail() != "" && customer.Referral.GetPartnerId() != ""
	}), selected)
	for _, customer := range selected.Data {
		check(customer.Id != "" && !customer.HasStatus(), customer)
		check(customer.Referral == nil || !customer.Referral.HasProgramId(), customer)
	}

	counted := must(ask(ctx, api, "affiliates").Limit(0).Execute())
	check(len(counted.Data) == 0 && counted.Page.GetTotal() == 10_000, counted)

	page, response, err := ask(ctx, api, "tax").Execute()
	check(err == nil, err)
	link := regexp.MustCompile(`<[^>]*cursor=` + page.Page.GetNextCursor() + `[^>]*>; rel="next"`)
	check(link.MatchString(response.Header.Get("Link")), response.Header)
}

// Reads one customer and its transactions.
func oneCustomer(ctx context.Context, api *gateway.APIClient) {
	affiliates := api.TransactionsAPI.ListTransactions(ctx).Connection([]string{"affiliates"})
	id := must(affiliates.Limit(1).Execute()).Data[0].GetCustomerId()
	customer, response, err := api.CustomersAPI.GetCustomer(ctx, id).Execute()
	check(err == nil && customer.Id == id, err)
	own := must(api.TransactionsAPI.ListCustomerTransactions(ctx, id).Execute())
	check(len(own.Data) > 0, own)
	for _, row := range own.Data {
		check(row.GetCustomerId() == id && row.Amount.Get() != nil, row)
	}

	// A conditional request: 304 without a body if nothing has changed.
	_, unchanged, err := api.CustomersAPI.GetCustomer(ctx, id).IfNoneMatch(response.Header.Get("ETag")).Execute()
	check(err != nil && unchanged.StatusCode == http.StatusNotModified, err)
}

// Looks customers up by id and by email address.
func lookups(ctx context.Context, api *gateway.APIClient) {
	affiliate := must(ask(ctx, api, "affiliates").Limit(1).Execute()).Data[0]
	taxpayer := must(ask(ctx, api, "tax").Limit(1).Execute()).Data[0]

	// Several customers by id, in the order of the request.
	ids := []string{taxpayer.Id, "affiliates.cust_nobody", affiliate.Id, taxpayer.Id}
	batch := must(api.CustomersAPI.ListCustomers(ctx).Id(ids).Execute())
	check(len(batch.Data) == 2 && batch.Data[0].Id == taxpayer.Id && batch.Data[1].Id == affiliate.Id, batch)
	check(slices.Equal(batch.Sources[0].NotFound, []string{"affiliates.cust_nobody"}), batch.Sources)
	check(len(batch.Sources) == 2 && len(batch.Sources[1].NotFound) == 0, batch.Sources)

	email := strings.ToUpper(taxpayer.GetEmail())
	found := idsOf(ask(ctx, api, "affiliates", "tax").Email(email))
	check(slices.Contains(found, taxpayer.Id), found)
}

func problems(ctx context.Context, api *gateway.APIClient) {
	_, _, err := ask(ctx, api, "tax").Limit(101).Execute()
	refused(err, 400, "invalid_parameter")
	_, _, err = ask(ctx, api, "tax").Cursor("nonsense").Execute()
	refused(err, 400, "invalid_cursor")
	_, _, err = api.ConnectionsAPI.ListConnections(authenticated("wrong")).Execute()
	refused(err, 401, "unauthenticated")
	_, _, err = api.CustomersAPI.GetCustomer(ctx, "affiliates.cust_nobody").Execute()
	refused(err, 404, "customer_not_found")
	_, _, err = ask(ctx, api, "failing").Execute()
	refused(err, 502, "vendor_error")
	_, response, err := ask(ctx, api, "limited").Execute()
	hasRetryAfter(refused(err, 503, "vendor_rate_limited"), response)
	_, response, err = api.ConnectionsAPI.ListConnections(authenticated(os.Getenv("SPENT_KEY"))).Execute()
	hasRetryAfter(refused(err, 429, "quota_exceeded"), response)
	check(strings.HasPrefix(response.Header.Get("RateLimit"), `"quota";r=0;t=`), response.Header)
}

// Checks Retry-After, in the header and in the problem.
func hasRetryAfter(problem gateway.Problem, response *http.Response) {
	wait, err := strconv.ParseInt(response.Header.Get("Retry-After"), 10, 64)
	check(err == nil && wait > 50, wait, err)
	check(problem.GetRetryAfter() == wait, problem)
}

// Checks that the error is a problem of the generated type.
func refused(err error, status int32, code string) gateway.Problem {
	var apiError *gateway.GenericOpenAPIError
	check(errors.As(err, &apiError), err)
	problem, ok := apiError.Model().(gateway.Problem)
	check(ok && problem.Status == status && problem.Code == code, err)
	return problem
}

// Reads from vendors that send unknown fields and values.
func drift(ctx context.Context, api *gateway.APIClient) {
	partner := []gateway.CustomerExpansion{gateway.CUSTOMEREXPANSION_PARTNER}
	drifting := must(ask(ctx, api, "drifting").Expand(partner).Include([]gateway.Include{gateway.INCLUDE_RAW}).Execute())
	check(len(drifting.Data) == 3, drifting)
	first := drifting.Data[0]
	check(first.GetStatus() == "hibernating" && first.GetName() == "Jim", first)
	for _, row := range drifting.Data[1:] {
		check(row.Status.Get() == nil && row.Name.Get() == nil, row)
	}
	check(first.Referral.Partner.GetStatus() == "dormant", first)
	check(first.Raw["unheard_of"] != nil, first)

	exemption := []gateway.CustomerExpansion{gateway.CUSTOMEREXPANSION_EXEMPTION, gateway.CUSTOMEREXPANSION_SHIPPING_ADDRESS}
	tax := must(ask(ctx, api, "drifting-tax").Expand(exemption).Execute())
	check(len(tax.Data) == 3, tax)
	known := tax.Data[0].Tax
	check(known.GetSourcePlatform() == "abacus", known)
	check(slices.Equal(known.Exemption.CertificateTypes, []string{"VERBAL"}), known)
	check(tax.Data[1].Tax.Exemption == nil, tax)
}

func ask(ctx context.Context, api *gateway.APIClient, connections ...string) gateway.ApiListCustomersRequest {
	return api.CustomersAPI.ListCustomers(ctx).Connection(connections)
}

func must[T any](response T, _ *http.Response, err error) T {
	check(err == nil, err)
	return response
}

func check(holds bool, said ...any) {
	if !holds {
		log.Output(2, fmt.Sprintln(said...))
		os.Exit(1)
	}
}
