package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
)

// garden is a service that does all that the engine does, and has no behaviour of its own: beds with plants in them, and
// paths between beds. Beds answer with operations.
const garden = `{
  "name": "garden", "version": "v1", "rootUrl": "https://garden.example.com/",
  "schemas": {
    "Bed": {"type": "object", "properties": {"name": {"type": "string", "readOnly": true}, "size": {"type": "integer"}, "soil": {"type": "string"}, "state": {"type": "string", "readOnly": true},
      "sun": {"type": "object", "properties": {"hours": {"type": "integer"}, "side": {"type": "string"}}}}},
    "Beds": {"type": "object", "properties": {"beds": {"type": "array", "items": {"$ref": "Bed"}}, "nextPageToken": {"type": "string"}}},
    "Plant": {"type": "object", "properties": {"name": {"type": "string"}, "beside": {"type": "string"}, "kind": {"type": "string", "annotations": {"required": ["garden.projects.locations.beds.plants.create"]}}}},
    "Way": {"type": "object", "properties": {"name": {"type": "string"}, "ends": {"type": "array", "items": {"type": "string"}}, "description": {"type": "string"}}},
    "Operation": {"type": "object", "properties": {"name": {"type": "string"}}},
    "Empty": {"type": "object", "properties": {}},
    "Policy": {"type": "object", "properties": {"etag": {"type": "string"}, "version": {"type": "integer"}, "bindings": {"type": "array", "items": {"$ref": "Binding"}}}},
    "Binding": {"type": "object", "properties": {"role": {"type": "string"}, "members": {"type": "array", "items": {"type": "string"}}}},
    "SetIamPolicyRequest": {"type": "object", "properties": {"policy": {"$ref": "Policy"}}}
  },
  "resources": {"projects": {"resources": {"locations": {"resources": {
    "operations": {"methods": {
      "get": {"id": "garden.projects.locations.operations.get", "httpMethod": "GET", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/operations/{operationsId}", "response": {"$ref": "Operation"}},
      "wait": {"id": "garden.projects.locations.operations.wait", "httpMethod": "POST", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/operations/{operationsId}:wait", "response": {"$ref": "Operation"}}}},
    "beds": {
      "methods": {
        "create": {"id": "garden.projects.locations.beds.create", "httpMethod": "POST", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds", "request": {"$ref": "Bed"}, "response": {"$ref": "Operation"}, "parameters": {"bedId": {"location": "query"}}},
        "get": {"id": "garden.projects.locations.beds.get", "httpMethod": "GET", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}", "response": {"$ref": "Bed"}},
        "list": {"id": "garden.projects.locations.beds.list", "httpMethod": "GET", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds", "response": {"$ref": "Beds"}},
        "patch": {"id": "garden.projects.locations.beds.patch", "httpMethod": "PATCH", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}", "request": {"$ref": "Bed"}, "response": {"$ref": "Operation"}},
        "update": {"id": "garden.projects.locations.beds.update", "httpMethod": "PUT", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}", "request": {"$ref": "Bed"}, "response": {"$ref": "Operation"}},
        "delete": {"id": "garden.projects.locations.beds.delete", "httpMethod": "DELETE", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}", "response": {"$ref": "Operation"}},
        "water": {"id": "garden.projects.locations.beds.water", "httpMethod": "POST", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}:water", "response": {"$ref": "Empty"}},
        "getIamPolicy": {"id": "garden.projects.locations.beds.getIamPolicy", "httpMethod": "GET", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}:getIamPolicy", "response": {"$ref": "Policy"}},
        "setIamPolicy": {"id": "garden.projects.locations.beds.setIamPolicy", "httpMethod": "POST", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}:setIamPolicy", "request": {"$ref": "SetIamPolicyRequest"}, "response": {"$ref": "Policy"}}},
      "resources": {"plants": {"methods": {
        "create": {"id": "garden.projects.locations.beds.plants.create", "httpMethod": "POST", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}/plants", "request": {"$ref": "Plant"}, "response": {"$ref": "Plant"}, "parameters": {"plantId": {"location": "query"}}},
        "get": {"id": "garden.projects.locations.beds.plants.get", "httpMethod": "GET", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}/plants/{plantsId}", "response": {"$ref": "Plant"}},
        "delete": {"id": "garden.projects.locations.beds.plants.delete", "httpMethod": "DELETE", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/beds/{bedsId}/plants/{plantsId}", "response": {"$ref": "Empty"}}}}}},
    "ways": {"methods": {
      "create": {"id": "garden.projects.locations.ways.create", "httpMethod": "POST", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/ways", "request": {"$ref": "Way"}, "response": {"$ref": "Way"}, "parameters": {"wayId": {"location": "query"}}},
      "get": {"id": "garden.projects.locations.ways.get", "httpMethod": "GET", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/ways/{waysId}", "response": {"$ref": "Way"}},
      "delete": {"id": "garden.projects.locations.ways.delete", "httpMethod": "DELETE", "flatPath": "v1/projects/{projectsId}/locations/{locationsId}/ways/{waysId}", "response": {"$ref": "Empty"}}}}
  }}}}}
}`

const (
	beds   = "garden.example.com/v1/projects/home/locations/south/beds"
	ways   = "garden.example.com/v1/projects/home/locations/south/ways"
	aBed   = "garden.example.com/projects/home/locations/south/beds/"
	secret = "test-token"
)

func newGarden(t testing.TB, options Options) *Cloud {
	api, err := discovery.Parse([]byte(garden))
	require.NoError(t, err)
	options.Projects, options.Token = []Project{{ID: "home", Number: "42"}, {ID: "away", Number: "43"}}, secret
	return New(options, &Service{
		APIs:  []*discovery.API{api},
		Kinds: map[string]*Kind{"garden.projects.locations.beds": {State: "state", Busy: "DIGGING", Ready: "READY", Immutable: []string{"soil", "sun.side"}}},
		Stamp: func(c *Call, o Object) { o["name"] = c.Name() },
		Operation: func(o *Operation) Object {
			result := Object{"name": "projects/home/locations/south/operations/" + o.ID, "done": o.Done()}
			if o.Err != nil {
				result["error"] = Object{"message": o.Err.Message, "code": o.Err.Code}
			}
			return result
		},
		NotFound: func(_ *Call, name string) *Error { return Errorf(http.StatusNotFound, "", "%s was not found", name) },
		Exists:   func(_ *Call, name string) *Error { return Errorf(http.StatusConflict, "", "%s already exists", name) },
	})
}

type reply struct {
	*httptest.ResponseRecorder

	body Object
}

func (r reply) message() string { return Text(Sub(r.body, "error"), "message") }

func ask(t testing.TB, cloud *Cloud, method, path, body string) reply {
	request := httptest.NewRequestWithContext(t.Context(), method, "/"+path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+secret)
	result := reply{ResponseRecorder: httptest.NewRecorder()}
	cloud.ServeHTTP(result, request)
	if result.Body.Len() > 0 {
		require.NoError(t, json.Unmarshal(result.Body.Bytes(), &result.body))
	}
	return result
}

func must(t testing.TB, cloud *Cloud, method, path, body string) Object {
	result := ask(t, cloud, method, path, body)
	require.Less(t, result.Code, 300, result.Body)
	return result.body
}

func TestAnObjectIsMadeReadChangedAndDeleted(t *testing.T) {
	cloud := newGarden(t, Options{})
	must(t, cloud, "POST", beds+"?bedId=roses", `{"size": 3, "sun": {"hours": 5}}`)
	assert.Equal(t, Object{"name": "projects/home/locations/south/beds/roses", "size": 3.0, "state": "READY", "sun": Object{"hours": 5.0}}, must(t, cloud, "GET", beds+"/roses", ""))
	must(t, cloud, "PATCH", beds+"/roses", `{"sun": {"hours": 6}}`)
	assert.Equal(t, Object{"hours": 6.0}, must(t, cloud, "GET", beds+"/roses", "")["sun"])
	must(t, cloud, "PATCH", beds+"/roses?updateMask=sun.hours", `{"size": 9, "sun": {"hours": 7}}`)
	masked := must(t, cloud, "GET", beds+"/roses", "")
	assert.Equal(t, Object{"hours": 7.0}, masked["sun"])
	assert.Equal(t, 3.0, masked["size"], "what the mask does not name stays")
	must(t, cloud, "PUT", beds+"/roses", `{"size": 4}`)
	replaced := must(t, cloud, "GET", beds+"/roses", "")
	assert.Equal(t, 4.0, replaced["size"])
	assert.NotContains(t, replaced, "sun", "a PUT takes away what it lacks")
	assert.Equal(t, "READY", replaced["state"], "but not what only the service writes")
	must(t, cloud, "DELETE", beds+"/roses", "")
	assert.Equal(t, 404, ask(t, cloud, "GET", beds+"/roses", "").Code)
}

func TestWhatIsWithinAnObjectGoesWithIt(t *testing.T) {
	cloud := newGarden(t, Options{})
	assert.Equal(t, 404, ask(t, cloud, "POST", beds+"/roses/plants?plantId=one", `{"kind": "rose"}`).Code)
	must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
	must(t, cloud, "POST", beds+"?bedId=roses-too", `{}`)
	must(t, cloud, "POST", beds+"/roses/plants?plantId=one", `{"kind": "rose"}`)
	must(t, cloud, "DELETE", beds+"/roses", "")
	var names []string
	for _, entry := range cloud.Inventory() {
		names = append(names, entry.Name)
	}
	assert.Equal(t, []string{aBed + "roses-too"}, names, "a name that begins with another is not within it")
}

func TestWrongRequestsAreRefused(t *testing.T) {
	for _, test := range []struct {
		name, method, path, body string
		code                     int
		says                     string
	}{
		{"an id that is taken", "POST", beds + "?bedId=roses", `{}`, 409, "already exists"},
		{"no id", "POST", beds, `{}`, 400, "bedId is required"},
		{"a bad id", "POST", beds + "?bedId=-x", `{}`, 400, "Invalid value for bedId"},
		{"a field that is missing", "POST", beds + "/roses/plants?plantId=one", `{}`, 400, "'kind' not specified"},
		{"another project", "GET", strings.Replace(beds, "home", "nowhere", 1), "", 403, "may not exist"},
		{"an immutable field", "PATCH", beds + "/roses", `{"soil": "sand"}`, 400, "'soil' is immutable"},
		{"an immutable field within another", "PATCH", beds + "/roses", `{"sun": {"side": "north"}}`, 400, "'sun.side' is immutable"},
		{"an immutable field that a PUT leaves out", "PUT", beds + "/roses", `{}`, 400, "'soil' is immutable"},
		{"a mask with a field that does not exist", "PATCH", beds + "/roses?updateMask=size,colour", `{"size": 1}`, 400, "no field 'colour'"},
		{"a method that nobody wrote", "POST", beds + "/roses:water", "", 501, "garden.projects.locations.beds.water"},
		{"a path that nobody has", "GET", "garden.example.com/v1/fish", "", 404, "was not found on this server"},
		{"a service that nobody has", "GET", "pond.example.com/v1/fish", "", 404, "no service"},
		{"bad paging", "GET", beds + "?pageToken=x", "", 400, "pageToken"},
		{"a page of less than nothing", "GET", beds + "?pageSize=-1", "", 400, "pageSize"},
		{"an operation that is not there", "GET", strings.TrimSuffix(beds, "beds") + "operations/x", "", 404, "was not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := newGarden(t, Options{})
			must(t, cloud, "POST", beds+"?bedId=roses", `{"soil": "clay", "sun": {"side": "south"}}`)
			result := ask(t, cloud, test.method, test.path, test.body)
			assert.Equal(t, test.code, result.Code)
			assert.Contains(t, result.message(), test.says)
		})
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("cable cut") }

func TestABodyThatCannotBeReadOrIsTooLongIsRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		body io.Reader
		code int
	}{
		{"broken", brokenBody{}, 400},
		{"too long", io.LimitReader(endless{}, maxBody+1), 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), "POST", "/"+beds+"?bedId=a", test.body)
			request.Header.Set("Authorization", "Bearer "+secret)
			recorder := httptest.NewRecorder()
			newGarden(t, Options{}).ServeHTTP(recorder, request)
			assert.Equal(t, test.code, recorder.Code)
		})
	}
}

type endless struct{}

func (endless) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = ' '
	}
	return len(into), nil
}

func TestAReferenceResolvesInAllItsForms(t *testing.T) {
	cloud := newGarden(t, Options{})
	must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
	const name = "projects/home/locations/south/beds/roses"
	for _, test := range []struct {
		name, value string
		refers      bool
	}{
		{"relative", name, true},
		{"by the project's number", "projects/42/locations/south/beds/roses", true},
		{"a URL", "https://garden.example.com/v1/" + name, true},
		{"a URL of another version", "https://garden.example.com/v2beta1/" + name, true},
		{"a full resource name", "//garden.example.com/" + name, true},
		{"another host", "https://pond.example.com/v1/" + name, false},
		{"another project", "projects/nowhere/locations/south/beds/roses", false},
		{"a collection", "projects/home/locations/south/beds", false},
		{"what cannot be made", "projects/home/locations/south/operations/roses", false},
		{"a name alone", "roses", false},
		{"text", "the bed projects/home/locations/south/beds/roses", false},
		{"nothing", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			call := &Call{Cloud: cloud, Service: cloud.services[0]}
			full, ok := call.Resolve(test.value)
			assert.Equal(t, test.refers, ok)
			if ok {
				assert.Equal(t, aBed+"roses", full)
			}
		})
	}
}

func TestAReferenceIsGuardedAtBothItsEnds(t *testing.T) {
	cloud := newGarden(t, Options{})
	missing := ask(t, cloud, "POST", ways+"?wayId=gravel", `{"ends": ["//garden.example.com/projects/home/locations/south/beds/roses"]}`)
	assert.Equal(t, 404, missing.Code)
	assert.Contains(t, missing.message(), "projects/home/locations/south/beds/roses was not found")

	must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
	must(t, cloud, "POST", ways+"?wayId=gravel", `{"ends": ["https://garden.example.com/v1/projects/42/locations/south/beds/roses"]}`)
	used := ask(t, cloud, "DELETE", beds+"/roses", "")
	assert.Equal(t, 400, used.Code)
	assert.Contains(t, used.message(), "The bed resource 'projects/home/locations/south/beds/roses' is already being used by 'projects/home/locations/south/ways/gravel'")
	must(t, cloud, "DELETE", ways+"/gravel", "")
	must(t, cloud, "DELETE", beds+"/roses", "")
}

func TestADescriptionThatReadsLikeAReferenceIsNone(t *testing.T) {
	cloud := newGarden(t, Options{})
	must(t, cloud, "POST", ways+"?wayId=gravel", `{"description": "projects/home/locations/south/beds/roses"}`)
}

func TestWhatIsWithinAnObjectMayReferToIt(t *testing.T) {
	cloud := newGarden(t, Options{})
	must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
	must(t, cloud, "POST", beds+"/roses/plants?plantId=one", `{"kind": "rose", "beside": "projects/home/locations/south/beds/roses"}`)
	must(t, cloud, "DELETE", beds+"/roses", "")
}

func operationOf(o Object) string {
	return "garden.example.com/v1/" + Text(o, "name")
}

func TestAnOperationIsPendingUntilItsTimeHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newGarden(t, Options{OperationTime: time.Minute})
		operation := must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
		assert.Equal(t, false, operation["done"])
		assert.Equal(t, "DIGGING", must(t, cloud, "GET", beds+"/roses", "")["state"])

		start := time.Now()
		assert.Equal(t, false, must(t, cloud, "GET", operationOf(operation), "")["done"])
		assert.Equal(t, longPoll, time.Since(start), "a request for it is held for a while")

		<-time.After(time.Minute - longPoll)
		assert.Equal(t, "READY", must(t, cloud, "GET", beds+"/roses", "")["state"])
		start = time.Now()
		assert.Equal(t, true, must(t, cloud, "POST", operationOf(operation)+":wait", "")["done"])
		assert.Zero(t, time.Since(start), "nobody waits for what is over")
	})
}

func TestARequestForAnOperationIsAnsweredAsSoonAsItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newGarden(t, Options{OperationTime: time.Second})
		operation := must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
		start := time.Now()
		assert.Equal(t, true, must(t, cloud, "GET", operationOf(operation), "")["done"])
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestOperationsEndInTheOrderOfTheirTimes(t *testing.T) {
	now := time.Now()
	cloud := newGarden(t, Options{OperationTime: time.Minute, Clock: func() time.Time { return now }})
	require.NoError(t, cloud.Inject(Fault{Method: "garden.*.*.*.create", Delay: time.Hour, Times: 1}))
	must(t, cloud, "POST", beds+"?bedId=slow", `{}`)
	must(t, cloud, "POST", beds+"?bedId=fast", `{}`)
	states := func() []any {
		return []any{must(t, cloud, "GET", beds+"/slow", "")["state"], must(t, cloud, "GET", beds+"/fast", "")["state"]}
	}
	assert.Equal(t, []any{"DIGGING", "DIGGING"}, states())
	assert.NotNil(t, cloud.Busy(aBed+"slow"))
	now = now.Add(time.Minute)
	assert.Equal(t, []any{"DIGGING", "READY"}, states())
	now = now.Add(time.Hour)
	assert.Equal(t, []any{"READY", "READY"}, states())
	assert.Nil(t, cloud.Busy(aBed+"slow"))
}

func TestAnOperationThatFailsIsUndone(t *testing.T) {
	for _, test := range []struct {
		name, verb, method, path, body string
		there                          bool
	}{
		{"a create", "create", "POST", beds + "?bedId=tulips", `{}`, false},
		{"a patch", "patch", "PATCH", beds + "/tulips", `{"size": 9}`, true},
		{"a PUT", "update", "PUT", beds + "/tulips", `{"size": 9}`, true},
		{"a delete", "delete", "DELETE", beds + "/tulips", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := newGarden(t, Options{})
			if test.there {
				must(t, cloud, "POST", beds+"?bedId=tulips", `{"size": 1}`)
			}
			before := cloud.Inventory()
			require.NoError(t, cloud.Inject(Fault{Method: "garden.projects.locations.beds." + test.verb, Status: 503, Message: "frost", Operation: true}))
			operation := must(t, cloud, test.method, test.path, test.body)
			failed := must(t, cloud, "GET", operationOf(operation), "")
			assert.Equal(t, "frost", Sub(failed, "error")["message"])
			assert.Equal(t, before, cloud.Inventory())
		})
	}
}

func TestAFaultHitsWhatItIsFor(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault Fault
		codes []int
	}{
		{"all requests", Fault{Method: "garden.projects.locations.beds.list", Status: 503}, []int{503, 503, 503}},
		{"as many as it says", Fault{Method: "garden.projects.locations.beds.list", Status: 429, Times: 2}, []int{429, 429, 200}},
		{"a pattern", Fault{Method: "garden.*.list", Status: 500, Times: 1}, []int{500, 200, 200}},
		{"another method", Fault{Method: "garden.projects.locations.beds.get", Status: 500}, []int{200, 200, 200}},
		{"a name", Fault{Method: "*", Name: "projects/home/locations/*/beds", Status: 500, Times: 1}, []int{500, 200, 200}},
		{"another name", Fault{Method: "*", Name: "projects/home/locations/*/ways", Status: 500}, []int{200, 200, 200}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := newGarden(t, Options{})
			require.NoError(t, cloud.Inject(test.fault))
			var codes []int
			for range test.codes {
				codes = append(codes, ask(t, cloud, "GET", beds, "").Code)
			}
			assert.Equal(t, test.codes, codes)
			cloud.ClearFaults()
			assert.Equal(t, 200, ask(t, cloud, "GET", beds, "").Code)
		})
	}
}

func TestAFaultSaysWhatItIsToldTo(t *testing.T) {
	cloud := newGarden(t, Options{})
	require.NoError(t, cloud.Inject(Fault{Method: "*", Status: 429, Reason: "quotaExceeded", Message: "too many roses", RetryAfter: 7}))
	result := ask(t, cloud, "POST", beds+"?bedId=roses", `{}`)
	assert.Equal(t, "7", result.Header().Get("Retry-After"))
	assert.Equal(t, "too many roses", result.message())
	assert.Equal(t, "RESOURCE_EXHAUSTED", Sub(result.body, "error")["status"])
	assert.Equal(t, "quotaExceeded", Objects(Sub(result.body, "error"), "errors")[0]["reason"])
	assert.Empty(t, cloud.Inventory(), "a request that fails does nothing")
}

func TestAFaultThatDelaysHoldsTheAnswerOrTheOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newGarden(t, Options{})
		require.NoError(t, cloud.Inject(Fault{Method: "*", Delay: time.Minute, Times: 2}))
		start := time.Now()
		must(t, cloud, "GET", beds, "")
		assert.Equal(t, time.Minute, time.Since(start))

		start = time.Now()
		must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
		assert.Zero(t, time.Since(start), "a request for an operation is answered at once")
		assert.Equal(t, "DIGGING", must(t, cloud, "GET", beds+"/roses", "")["state"])
		<-time.After(time.Minute)
		assert.Equal(t, "READY", must(t, cloud, "GET", beds+"/roses", "")["state"])
	})
}

func TestAFaultThatMakesNoSenseIsRefused(t *testing.T) {
	for _, fault := range []Fault{
		{}, {Method: "[", Status: 500}, {Method: "*", Name: "[", Status: 500}, {Method: "*", Status: 200}, {Method: "*", Status: 600}, {Method: "*"},
		{Method: "*", Operation: true, Delay: 1}, {Method: "*", Status: 500, Times: -1}, {Method: "*", Status: 500, RetryAfter: -1}, {Method: "*", Status: 500, Delay: -1},
	} {
		cloud := newGarden(t, Options{})
		assert.Error(t, cloud.Inject(Fault{Method: "*", Status: 500}, fault), "%+v", fault)
		assert.Empty(t, cloud.faults, "of several faults all are armed, or none")
	}
}

func TestAQuotaIsForEachProject(t *testing.T) {
	cloud := newGarden(t, Options{})
	cloud.SetQuota("garden.projects.locations.beds", 2)
	must(t, cloud, "POST", beds+"?bedId=a", `{}`)
	must(t, cloud, "POST", beds+"?bedId=b", `{}`)
	refused := ask(t, cloud, "POST", beds+"?bedId=c", `{}`)
	assert.Equal(t, 403, refused.Code)
	assert.Equal(t, "Quota 'BEDS' exceeded. Limit: 2.0.", refused.message())
	must(t, cloud, "POST", strings.Replace(beds, "home", "away", 1)+"?bedId=c", `{}`)
	must(t, cloud, "DELETE", beds+"/a", "")
	must(t, cloud, "POST", beds+"?bedId=c", `{}`)
}

func TestAListComesInPages(t *testing.T) {
	cloud := newGarden(t, Options{})
	for i := range 5 {
		must(t, cloud, "POST", fmt.Sprintf("%s?bedId=bed-%d", beds, i), `{}`)
	}
	must(t, cloud, "POST", strings.Replace(beds, "south", "north", 1)+"?bedId=elsewhere", `{}`)
	for _, size := range []int{0, 1, 2, 5, 9} {
		t.Run(fmt.Sprintf("%d at a time", size), func(t *testing.T) {
			var names []string
			token, pages := "", 0
			for more := true; more; more = token != "" {
				page := must(t, cloud, "GET", fmt.Sprintf("%s?pageSize=%d&pageToken=%s", beds, size, token), "")
				for _, bed := range Objects(page, "beds") {
					names = append(names, strings.TrimPrefix(Text(bed, "name"), "projects/home/locations/south/beds/"))
				}
				if size > 0 {
					assert.LessOrEqual(t, len(Objects(page, "beds")), size)
				}
				token = Text(page, "nextPageToken")
				pages++
			}
			assert.Equal(t, []string{"bed-0", "bed-1", "bed-2", "bed-3", "bed-4"}, names)
			if size > 0 {
				assert.Equal(t, (5+size-1)/size, pages)
			}
		})
	}
	assert.Equal(t, Object{}, must(t, cloud, "GET", strings.Replace(beds, "south", "east", 1), ""))
}

func TestAPolicyIsReadChangedAndWrittenBack(t *testing.T) {
	cloud := newGarden(t, Options{})
	must(t, cloud, "POST", beds+"?bedId=roses", `{}`)
	first := must(t, cloud, "GET", beds+"/roses:getIamPolicy", "")
	set := func(etag string) reply {
		return ask(t, cloud, "POST", beds+"/roses:setIamPolicy", `{"policy": {"etag": "`+etag+`", "bindings": [{"role": "roles/gardener", "members": ["user:alice@example.com"]}]}}`)
	}
	second := set(Text(first, "etag"))
	require.Equal(t, 200, second.Code)
	assert.NotEqual(t, first["etag"], second.body["etag"])
	assert.Equal(t, second.body, must(t, cloud, "GET", beds+"/roses:getIamPolicy", ""))

	stale := set(Text(first, "etag"))
	assert.Equal(t, 409, stale.Code)
	assert.Equal(t, "ABORTED", Sub(stale.body, "error")["status"])
	assert.Equal(t, 200, set("").Code, "without an etag the last one wins")
	assert.NotContains(t, must(t, cloud, "GET", beds+"/roses", ""), "bindings", "a policy is no part of its object")
	assert.Equal(t, 404, ask(t, cloud, "GET", beds+"/tulips:getIamPolicy", "").Code)
}

func TestMembersAreOfTheKindsThatGoogleKnows(t *testing.T) {
	for member, valid := range map[string]bool{
		"allUsers": true, "allAuthenticatedUsers": true, "user:a@example.com": true, "serviceAccount:a@b.iam.gserviceaccount.com": true,
		"principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*": true, "deleted:user:a@example.com?uid=1": true,
		"a@example.com": false, "user:": false, "alien:a": false, "": false, "allAliens": false,
	} {
		assert.Equal(t, valid, validMember(member), member)
	}
}

func TestTheLogHasEachRequestAndNoBody(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	cloud := newGarden(t, Options{Clock: func() time.Time { return now }})
	must(t, cloud, "POST", beds+"?bedId=roses", `{"soil": "hunter2"}`)
	ask(t, cloud, "GET", "pond.example.com/v1/fish", "")
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/"+beds, nil)
	cloud.ServeHTTP(httptest.NewRecorder(), request)
	log := cloud.Log()
	require.Len(t, log, 3)
	assert.Equal(t, now, log[0].Time)
	assert.Equal(t, Request{Time: now, HTTPMethod: "POST", Path: "/" + beds, Method: "garden.projects.locations.beds.create", Status: 200, Took: log[0].Took}, log[0])
	assert.Equal(t, 404, log[1].Status)
	assert.Equal(t, 401, log[2].Status)
	raw, err := json.Marshal(log)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "hunter2")
	assert.NotContains(t, string(raw), secret)
}

func TestTheLogIsBounded(t *testing.T) {
	cloud := newGarden(t, Options{})
	for i := range maxLog + 1 {
		cloud.record(Request{Status: i})
	}
	log := cloud.Log()
	assert.Len(t, log, maxLog/2+1)
	assert.Equal(t, maxLog, log[len(log)-1].Status)
}

func TestTheInventoryIsACopy(t *testing.T) {
	cloud := newGarden(t, Options{})
	must(t, cloud, "POST", beds+"?bedId=roses", `{"sun": {"hours": 5}}`)
	inventory := cloud.Inventory()
	require.Len(t, inventory, 1)
	assert.Equal(t, "garden.projects.locations.beds", inventory[0].Collection)
	Sub(inventory[0].Data, "sun")["hours"] = 99
	assert.Equal(t, Object{"hours": 5.0}, must(t, cloud, "GET", beds+"/roses", "")["sun"])
}

func TestResourceTypesAreNamedAsGoogleNamesThem(t *testing.T) {
	for collection, want := range map[string]string{
		"compute.networks": "network", "compute.backendServices": "backend_service", "compute.addresses": "address", "compute.globalAddresses": "global_address",
		"compute.securityPolicies": "security_policy", "compute.targetHttpsProxies": "target_https_proxy", "compute.networkEndpointGroups": "network_endpoint_group",
	} {
		call := &Call{Method: &discovery.Method{ID: collection + ".delete"}}
		assert.Equal(t, want, call.ResourceType())
	}
}

func TestManyRequestsAtOnceDoNotDisturbEachOther(t *testing.T) {
	cloud := newGarden(t, Options{})
	t.Run("all", func(t *testing.T) {
		for i := range 8 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for j := range 20 {
					path := fmt.Sprintf("%s/bed-%d-%d", beds, i, j)
					must(t, cloud, "POST", fmt.Sprintf("%s?bedId=bed-%d-%d", beds, i, j), `{}`)
					must(t, cloud, "PATCH", path, `{"size": 1}`)
					must(t, cloud, "GET", beds, "")
					cloud.Inventory()
					must(t, cloud, "DELETE", path, "")
				}
			})
		}
	})
	assert.Empty(t, cloud.Inventory())
}
