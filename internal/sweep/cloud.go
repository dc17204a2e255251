package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// object is a JSON object.
type object = map[string]any

// service is one of Google's.
type service string

const (
	compute            service = "COMPUTE"
	container          service = "CONTAINER"
	sql                service = "SQL"
	serviceNetworking  service = "SERVICE_NETWORKING"
	kms                service = "KMS"
	dns                service = "DNS"
	certificateManager service = "CERTIFICATE_MANAGER"
	fleet              service = "GKE_HUB"
	monitoring         service = "MONITORING"
	iam                service = "IAM_BETA"
	resourceManager    service = "RESOURCE_MANAGER"
)

// endpoints are where services are unless GOOGLE_<service>_CUSTOM_ENDPOINT says otherwise.
func endpoints() map[service]string {
	return map[service]string{
		compute:            "https://compute.googleapis.com/compute/v1/",
		container:          "https://container.googleapis.com/v1/",
		sql:                "https://sqladmin.googleapis.com/sql/v1beta4/",
		serviceNetworking:  "https://servicenetworking.googleapis.com/v1/",
		kms:                "https://cloudkms.googleapis.com/v1/",
		dns:                "https://dns.googleapis.com/dns/v1/",
		certificateManager: "https://certificatemanager.googleapis.com/v1/",
		fleet:              "https://gkehub.googleapis.com/v1/",
		monitoring:         "https://monitoring.googleapis.com/",
		iam:                "https://iam.googleapis.com/v1/",
		resourceManager:    "https://cloudresourcemanager.googleapis.com/v1/",
	}
}

const (
	requestTimeout = 2 * time.Minute
	maxBody        = 64 << 20
	// attempts are for requests that only read; what changes something is tried again by the sweeper, after the others.
	attempts = 5
)

// cloud talks to Google's services.
type cloud struct {
	http      *http.Client
	endpoints map[service]string
	// pause is before the first look at an operation, and before the first repetition. It grows.
	pause time.Duration
}

// authorize makes a client whose requests bear a token.
func authorize(ctx context.Context, getenv func(string) string) (*http.Client, error) {
	if token := getenv("GOOGLE_OAUTH_ACCESS_TOKEN"); token != "" {
		return oauth2.NewClient(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})), nil
	}
	client, err := google.DefaultClient(ctx, "https://www.googleapis.com/auth/cloud-platform")
	if err != nil {
		return nil, fmt.Errorf("find credentials: %w; set GOOGLE_OAUTH_ACCESS_TOKEN, or run `gcloud auth application-default login`", err)
	}
	return client, nil
}

func newCloud(client *http.Client, getenv func(string) string) *cloud {
	c := &cloud{http: client, endpoints: endpoints(), pause: time.Second}
	for name := range c.endpoints {
		if custom := getenv("GOOGLE_" + string(name) + "_CUSTOM_ENDPOINT"); custom != "" {
			c.endpoints[name] = strings.TrimSuffix(custom, "/") + "/"
		}
	}
	return c
}

// list returns what a list has in a field, of all its pages.
func (c *cloud) list(ctx context.Context, from service, path, field string) ([]object, error) {
	var all []object
	err := c.pages(ctx, from, path, func(page object) error {
		all = append(all, objects(page, field)...)
		// What could not be asked may have something that is ours.
		for _, missing := range []string{"unreachable", "missingZones"} {
			if places, _ := page[missing].([]any); len(places) > 0 {
				return fmt.Errorf("%s: no answer from %v", path, places)
			}
		}
		return nil
	})
	return all, err
}

// aggregated returns what an aggregated list of Compute Engine has, of all places.
func (c *cloud) aggregated(ctx context.Context, project, collection string) ([]object, error) {
	var all []object
	err := c.pages(ctx, compute, "projects/"+project+"/aggregated/"+collection, func(page object) error {
		places, _ := page["items"].(object)
		for _, place := range slices.Sorted(maps.Keys(places)) {
			found, _ := places[place].(object)
			all = append(all, objects(found, collection)...)
		}
		return nil
	})
	return all, err
}

func (c *cloud) pages(ctx context.Context, from service, path string, each func(object) error) error {
	token := ""
	for {
		query := ""
		if token != "" {
			query = "?pageToken=" + url.QueryEscape(token)
		}
		page, err := c.get(ctx, from, path+query)
		if err != nil {
			return err
		}
		if err := each(page); err != nil {
			return err
		}
		if token = text(page, "nextPageToken"); token == "" {
			return nil
		}
	}
}

// get reads, and tries again what may well work the next time.
func (c *cloud) get(ctx context.Context, from service, path string) (object, error) {
	pause := c.pause
	for attempt := 1; ; attempt++ {
		answer, err := c.do(ctx, http.MethodGet, from, path, nil)
		if err == nil || attempt == attempts || !passes(err) {
			return answer, err
		}
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// change does something and waits until it is done.
func (c *cloud) change(ctx context.Context, method string, at service, path string, body object) error {
	answer, err := c.do(ctx, method, at, path, body)
	if err != nil {
		return err
	}
	pause := c.pause
	for {
		operation, done, err := operationOf(at, answer)
		if done {
			return err
		}
		if err := wait(ctx, pause); err != nil {
			return fmt.Errorf("wait for %s: %w", operation, err)
		}
		pause = min(pause*2, 15*c.pause)
		if answer, err = c.get(ctx, at, operation); err != nil {
			return fmt.Errorf("wait for %s: %w", operation, err)
		}
	}
}

// operationOf says where to ask for an operation, if it is not done, and how it ended, if it is.
func operationOf(at service, answer object) (path string, done bool, err error) {
	switch at {
	case compute, container, sql: // they have operations of their own
		_, after, found := strings.Cut(text(answer, "selfLink"), "/projects/")
		path, done = "projects/"+after, text(answer, "status") == "DONE"
		if !found && !done {
			return "", true, fmt.Errorf("the answer is no operation")
		}
	case serviceNetworking, certificateManager, fleet: // https://google.aip.dev/151
		path = text(answer, "name")
		done, _ = answer["done"].(bool)
		if path == "" && !done {
			return "", true, fmt.Errorf("the answer is no operation")
		}
	default:
		return "", true, nil
	}
	problem, failed := answer["error"].(object)
	if !done || !failed {
		return path, done, nil
	}
	status, _ := answer["httpErrorStatusCode"].(float64)
	refusal := &refusal{status: int(status), message: text(problem, "message")}
	if code, ok := problem["code"].(float64); ok {
		refusal.reason = canonical(int(code))
	}
	for _, each := range objects(problem, "errors") {
		refusal.reason, refusal.message = text(each, "code"), text(each, "message")
	}
	return path, true, refusal
}

// canonical names the codes of https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto that matter here.
func canonical(code int) string {
	return map[int]string{5: "NOT_FOUND", 8: "RESOURCE_EXHAUSTED", 9: "FAILED_PRECONDITION", 10: "ABORTED", 13: "INTERNAL", 14: "UNAVAILABLE"}[code]
}

func (c *cloud) do(ctx context.Context, method string, at service, path string, body object) (object, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var content io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write a request: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.endpoints[at]+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, readRefusal(response.StatusCode, raw)
	}
	answer := object{}
	if len(bytes.TrimSpace(raw)) == 0 {
		return answer, nil
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	return answer, nil
}

// refusal is an answer that is an error, or an operation that failed.
type refusal struct {
	status  int
	reason  string
	message string
}

func (r *refusal) Error() string {
	return strings.Join(slices.DeleteFunc([]string{cmp.Or(r.reason, http.StatusText(r.status)), r.message}, func(s string) bool { return s == "" }), ": ")
}

func readRefusal(status int, raw []byte) error {
	var body struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
			Details []struct {
				Reason string `json:"reason"`
			} `json:"details"`
		} `json:"error"`
	}
	refused := &refusal{status: status, message: strings.TrimSpace(string(raw[:min(len(raw), 500)]))}
	if json.Unmarshal(raw, &body) == nil && body.Error.Message != "" {
		refused.reason, refused.message = body.Error.Status, body.Error.Message
		for _, each := range body.Error.Errors {
			refused.reason = strings.TrimSpace(refused.reason + " " + each.Reason)
		}
		for _, each := range body.Error.Details {
			refused.reason = strings.TrimSpace(refused.reason + " " + each.Reason)
		}
	}
	return refused
}

// gone says that there is nothing to delete.
func gone(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) && (refused.status == http.StatusNotFound || refused.has("NOT_FOUND"))
}

// disabled says that the project has nothing of a service, since it does not use it.
func disabled(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) && refused.status == http.StatusForbidden && refused.has("SERVICE_DISABLED", "accessNotConfigured")
}

// passes says that an error may go by itself: something else is at it, or is in the way and about to be deleted, too.
func passes(err error) bool {
	var refused *refusal
	if !errors.As(err, &refused) {
		var network *url.Error
		return errors.As(err, &network)
	}
	switch refused.status {
	case http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return refused.has("FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL", "UNAVAILABLE", "IN_USE", "InUse", "IN_PROGRESS", "InProgress",
		"NOT_READY", "NotReady", "rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "containerNotEmpty", "invalidState") || refused.says("in use", "being used", "in progress", "still using", "has replicas", "not ready")
}

// has looks for reasons, which services write LIKE_THIS or likeThis.
func (r *refusal) has(reasons ...string) bool {
	return slices.ContainsFunc(reasons, func(reason string) bool {
		return strings.Contains(strings.ToLower(r.reason), strings.ToLower(reason))
	})
}

func (r *refusal) says(phrases ...string) bool {
	return slices.ContainsFunc(phrases, func(phrase string) bool { return strings.Contains(strings.ToLower(r.message), phrase) })
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func text(o object, name string) string {
	value, _ := o[name].(string)
	return value
}

func objects(o object, name string) []object {
	list, _ := o[name].([]any)
	var result []object
	for _, each := range list {
		if element, ok := each.(object); ok {
			result = append(result, element)
		}
	}
	return result
}
