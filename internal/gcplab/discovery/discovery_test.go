package discovery

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// library is a small service with all that real documents have: custom verbs, parameters in paths and queries, schemas that
// refer to each other, enums, formats, fields that only the service writes.
const library = `{
  "name": "library", "version": "v1", "rootUrl": "https://library.example.com/", "servicePath": "",
  "schemas": {
    "Book": {"type": "object", "properties": {
      "name": {"type": "string", "pattern": "[a-z]+", "annotations": {"required": ["library.shelves.books.create"]}},
      "pages": {"type": "integer", "format": "int32"},
      "copies": {"type": "string", "format": "int64"},
      "weight": {"type": "number", "format": "double"},
      "bound": {"type": "boolean"},
      "genre": {"type": "string", "enum": ["PROSE", "POETRY"]},
      "createTime": {"type": "string", "readOnly": true},
      "selfLink": {"type": "string", "description": "[Output Only] Where it is."},
      "state": {"type": "string", "description": "Output only. Its state."},
      "kind": {"type": "string", "default": "library#book"},
      "coAuthors": {"type": "array", "items": {"$ref": "Author"}},
      "labels": {"type": "object", "additionalProperties": {"type": "string"}},
      "extra": {"type": "object"}
    }},
    "Author": {"type": "object", "properties": {"firstName": {"type": "string"}, "born": {"type": "integer"}}},
    "Books": {"type": "object", "properties": {"nextPageToken": {"type": "string"}, "books": {"type": "array", "items": {"$ref": "Book"}}}},
    "Items": {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "Book"}}, "warnings": {"type": "array", "items": {"$ref": "Author"}}}},
    "Nothing": {"type": "object", "properties": {"done": {"type": "boolean"}}}
  },
  "resources": {"shelves": {"resources": {"books": {"methods": {
    "get": {"id": "library.shelves.books.get", "httpMethod": "GET", "flatPath": "v1/shelves/{shelvesId}/books/{booksId}", "response": {"$ref": "Book"}, "parameters": {"name": {"location": "path"}}},
    "latest": {"id": "library.shelves.books.latest", "httpMethod": "GET", "flatPath": "v1/shelves/{shelvesId}/books/latest", "response": {"$ref": "Book"}},
    "create": {"id": "library.shelves.books.create", "httpMethod": "POST", "flatPath": "v1/shelves/{shelvesId}/books", "request": {"$ref": "Book"}, "response": {"$ref": "Book"}, "parameters": {"bookId": {"location": "query"}, "requestId": {"location": "query"}}},
    "list": {"id": "library.shelves.books.list", "httpMethod": "GET", "flatPath": "v1/shelves/{shelvesId}/books", "response": {"$ref": "Books"}},
    "lend": {"id": "library.shelves.books.lend", "httpMethod": "POST", "flatPath": "v1/shelves/{shelvesId}/books/{booksId}:lend"},
    "touch": {"id": "library.shelves.books.touch", "httpMethod": "POST", "flatPath": "v1/shelves/{shelvesId}/books/{booksId}"},
    "batch": {"id": "library.shelves.books.batch", "httpMethod": "POST", "flatPath": "v1/shelves/{shelvesId}/books:batch"}
  }}}}}
}`

func parsed(t testing.TB) *API {
	api, err := Parse([]byte(library))
	require.NoError(t, err)
	return api
}

func TestAPathAndAnHTTPMethodFindTheMostSpecificMethod(t *testing.T) {
	api := parsed(t)
	assert.Equal(t, "library.example.com", api.Host)
	assert.Equal(t, "v1", api.Prefix())
	for _, test := range []struct {
		name, httpMethod, path, id string
		object                     []string
		parameters                 map[string]string
	}{
		{"an item", "GET", "v1/shelves/a/books/b", "library.shelves.books.get", []string{"shelves", "a", "books", "b"}, map[string]string{"shelvesId": "a", "booksId": "b"}},
		{"a collection", "GET", "v1/shelves/a/books", "library.shelves.books.list", []string{"shelves", "a", "books"}, map[string]string{"shelvesId": "a"}},
		{"text before a parameter", "GET", "v1/shelves/a/books/latest", "library.shelves.books.latest", []string{"shelves", "a", "books", "latest"}, map[string]string{"shelvesId": "a"}},
		{"another HTTP method on the same path", "POST", "v1/shelves/a/books", "library.shelves.books.create", []string{"shelves", "a", "books"}, map[string]string{"shelvesId": "a"}},
		{"a verb behind a parameter, which is left out of the name", "POST", "v1/shelves/a/books/b:lend", "library.shelves.books.lend", []string{"shelves", "a", "books", "b"}, map[string]string{"shelvesId": "a", "booksId": "b"}},
		{"a colon that is no verb", "POST", "v1/shelves/a/books/b:other", "library.shelves.books.touch", []string{"shelves", "a", "books", "b:other"}, map[string]string{"shelvesId": "a", "booksId": "b:other"}},
		{"a verb behind text", "POST", "v1/shelves/a/books:batch", "library.shelves.books.batch", []string{"shelves", "a", "books:batch"}, map[string]string{"shelvesId": "a"}},
		{"an escaped slash is no separator", "GET", "v1/shelves/a%2Fb/books/c%20d", "library.shelves.books.get", []string{"shelves", "a/b", "books", "c d"}, map[string]string{"shelvesId": "a/b", "booksId": "c d"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			match, known := api.Find(test.httpMethod, test.path)
			require.NotNil(t, match)
			assert.True(t, known)
			assert.Equal(t, test.id, match.Method.ID)
			assert.Equal(t, test.object, match.Path)
			assert.Equal(t, test.parameters, match.Parameters)
		})
	}
}

func TestAPathThatNoMethodHasIsNotFound(t *testing.T) {
	api := parsed(t)
	for _, test := range []struct {
		name, httpMethod, path string
		known                  bool
	}{
		{"another version", "GET", "v2/shelves/a/books", false},
		{"an empty parameter", "GET", "v1/shelves//books", false},
		{"a verb without a name", "POST", "v1/shelves/a/books/:lend", true},
		{"too long", "GET", "v1/shelves/a/books/b/c", false},
		{"an escape that is cut off", "GET", "v1/shelves/%2/books", false},
		{"another HTTP method", "DELETE", "v1/shelves/a/books/b", true},
		{"nothing", "GET", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			match, known := api.Find(test.httpMethod, test.path)
			if test.name == "a verb without a name" {
				// ":lend" is itself a name then.
				require.NotNil(t, match)
				assert.Equal(t, "library.shelves.books.touch", match.Method.ID)
				return
			}
			assert.Nil(t, match)
			assert.Equal(t, test.known, known)
		})
	}
}

func TestMethodsKnowTheirPlace(t *testing.T) {
	api := parsed(t)
	create := api.Method("library.shelves.books.create")
	require.NotNil(t, create)
	assert.Equal(t, "library.shelves.books", create.Collection())
	assert.Equal(t, "create", create.Verb())
	assert.Equal(t, "bookId", create.QueryID())
	assert.Same(t, api, create.API())
	assert.True(t, create.Parameter("requestId"))
	assert.False(t, create.Parameter("colour"))
	assert.Empty(t, api.Method("library.shelves.books.get").QueryID())
	assert.Nil(t, api.Method("library.shelves.books.burn"))
}

func TestQueryIDIsTheParameterThatChoosesTheIDOfANewObject(t *testing.T) {
	dir, err := Dir("")
	require.NoError(t, err)
	for _, test := range []struct{ service, version, method, parameter string }{
		{"cloudkms", "v1", "cloudkms.projects.locations.keyRings.create", "keyRingId"},
		{"cloudkms", "v1", "cloudkms.projects.locations.keyRings.cryptoKeys.create", "cryptoKeyId"},
		{"certificatemanager", "v1", "certificatemanager.projects.locations.certificateMaps.certificateMapEntries.create", "certificateMapEntryId"},
		{"certificatemanager", "v1", "certificatemanager.projects.locations.dnsAuthorizations.create", "dnsAuthorizationId"},
		{"networkservices", "v1", "networkservices.projects.locations.serviceLbPolicies.create", "serviceLbPolicyId"},
		{"gkehub", "v1", "gkehub.projects.locations.features.create", "featureId"},
		{"gkehub", "v1", "gkehub.projects.locations.memberships.create", "membershipId"},
		{"iam", "v1", "iam.projects.locations.workloadIdentityPools.create", "workloadIdentityPoolId"},
		{"iam", "v1", "iam.projects.locations.workloadIdentityPools.providers.create", "workloadIdentityPoolProviderId"},
		{"iam", "v1", "iam.projects.serviceAccounts.create", ""},
		{"container", "v1", "container.projects.locations.clusters.create", ""},
		{"monitoring", "v3", "monitoring.projects.alertPolicies.create", ""},
	} {
		t.Run(test.method, func(t *testing.T) {
			api, err := Load(dir, test.service, test.version)
			require.NoError(t, err)
			method := api.Method(test.method)
			require.NotNil(t, method)
			for range 20 {
				// The parameters are in a map: it must not matter in which order they come.
				assert.Equal(t, test.parameter, method.QueryID())
			}
		})
	}
}

func TestADocumentThatCannotBeReadIsRefusedWithAReason(t *testing.T) {
	method := func(id, path string) string {
		return `{"name": "library", "version": "v1", "rootUrl": "https://library.example.com/", "methods": {"m": {"id": "` + id + `", "httpMethod": "GET", "path": "` + path + `"}}}`
	}
	for _, test := range []struct{ name, document, reason string }{
		{"no JSON", `{`, "no discovery document"},
		{"no methods", `{"name": "library", "version": "v1"}`, `lack its version "v1"`},
		{"no version in a path", method("library.m", "shelves"), `lack its version "v1"`},
		{"versions in two places", `{"name": "library", "version": "v1", "methods": {"m": {"id": "a.b", "path": "v1/x"}, "n": {"id": "a.c", "path": "y/v1/x"}}}`, "begin in two ways"},
		{"a path of no fixed length", method("library.m", "v1/{+name}"), "no fixed length"},
		{"a parameter without an end", method("library.m", "v1/{name"), "cannot be read"},
		{"text behind a parameter that is no verb", method("library.m", "v1/{name}x"), "cannot be read"},
		{"an id without a dot", method("m", "v1/shelves"), "no dot"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.document))
			assert.ErrorContains(t, err, test.reason)
		})
	}
}

func TestADocumentThatIsNotThereIsAnErrorThatNamesIt(t *testing.T) {
	_, err := Load(t.TempDir(), "compute", "v1")
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "compute v1")

	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "compute", "v1"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "compute", "v1", "compute-api.json"), []byte("x"), 0o600))
	_, err = Load(dir, "compute", "v1")
	assert.ErrorContains(t, err, "compute-api.json")
}

func decode(t testing.TB, text string) map[string]any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var body map[string]any
	require.NoError(t, decoder.Decode(&body))
	return body
}

func TestAConformingBodyComesBackAsTheServiceWouldShowIt(t *testing.T) {
	api := parsed(t)
	for _, test := range []struct{ name, body, want string }{
		{"int64 as a number", `{"copies": 9007199254740993}`, `{"copies": "9007199254740993"}`},
		{"int64 as a string", `{"copies": "9007199254740993"}`, `{"copies": "9007199254740993"}`},
		{"int32 as a string", `{"pages": "12"}`, `{"pages": 12}`},
		{"a number with a point that is whole", `{"pages": 12.0}`, `{"pages": 12}`},
		{"a float", `{"weight": 1.5}`, `{"weight": 1.5}`},
		{"booleans as strings", `{"bound": "true"}`, `{"bound": true}`},
		{"null is as if it were not there", `{"pages": null, "coAuthors": null}`, `{}`},
		{"null in a list", `{"coAuthors": [null]}`, ``},
		{"readOnly fields are dropped", `{"createTime": "now", "genre": "PROSE"}`, `{"genre": "PROSE"}`},
		{"fields that only their description says to be read only are dropped", `{"selfLink": "x", "state": "LENT"}`, `{}`},
		{"read only fields may even be of another type", `{"createTime": 5}`, `{}`},
		{"an enum", `{"genre": "POETRY"}`, `{"genre": "POETRY"}`},
		{"an empty enum", `{"genre": ""}`, `{"genre": ""}`},
		{"a map", `{"labels": {"a": "b"}}`, `{"labels": {"a": "b"}}`},
		{"an object of any fields", `{"extra": {"a": {"b": [1]}}}`, `{"extra": {"a": {"b": [1]}}}`},
		{"objects in a list", `{"coAuthors": [{"firstName": "A"}, {"born": 1900}]}`, `{"coAuthors": [{"firstName": "A"}, {"born": 1900}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, violations := api.Conform("Book", decode(t, test.body))
			if test.want == "" {
				assert.NotEmpty(t, violations)
				return
			}
			require.Empty(t, violations)
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			assert.JSONEq(t, test.want, string(raw))
		})
	}
}

func TestABodyThatDoesNotConformIsToldWhere(t *testing.T) {
	api := parsed(t)
	for _, test := range []struct {
		name, body, field, description string
		kind                           ViolationKind
	}{
		{"an unknown field", `{"colour": "red"}`, "", `Unknown name "colour": Cannot find field.`, UnknownField},
		{"an unknown field in a list", `{"coAuthors": [{}, {"nick": "x"}]}`, "coAuthors[1]", `Unknown name "nick" at 'co_authors[1]': Cannot find field.`, UnknownField},
		{"null does not hide an unknown field", `{"colour": null}`, "", `Unknown name "colour"`, UnknownField},
		{"text for a number", `{"pages": "many"}`, "pages", `Invalid value at 'pages' (TYPE_INT32), "many"`, WrongType},
		{"a fraction for an integer", `{"pages": 1.5}`, "pages", `(TYPE_INT32)`, WrongType},
		{"a number that is too large", `{"pages": 5000000000}`, "pages", `(TYPE_INT32)`, WrongType},
		{"an int64 that is too large", `{"copies": "9223372036854775808"}`, "copies", `(TYPE_INT64)`, WrongType},
		{"a number for text", `{"name": 5}`, "name", `(TYPE_STRING), 5`, WrongType},
		{"text for a boolean", `{"bound": "yes"}`, "bound", `(TYPE_BOOL), "yes"`, WrongType},
		{"an object for a list", `{"coAuthors": {}}`, "coAuthors", `Invalid value at 'co_authors' (a list)`, WrongType},
		{"a list for an object", `{"labels": []}`, "labels", `(an object)`, WrongType},
		{"a number in a map of text", `{"labels": {"a": 1}}`, "labels.a", `'labels.a' (TYPE_STRING)`, WrongType},
		{"a value that an enum lacks", `{"genre": "DRAMA"}`, "genre", `Invalid value at 'genre', "DRAMA"`, UnknownEnum},
		{"text that a pattern does not match in full", `{"name": "book1"}`, "name", `must match [a-z]+`, PatternMismatch},
		{"a wrong type deep within", `{"coAuthors": [{"born": true}]}`, "coAuthors[0].born", `'co_authors[0].born' (TYPE_INTEGER), true`, WrongType},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, violations := api.Conform("Book", decode(t, test.body))
			require.Len(t, violations, 1)
			assert.Equal(t, test.kind, violations[0].Kind)
			assert.Equal(t, test.field, violations[0].Field)
			assert.Contains(t, violations[0].Description, test.description)
		})
	}
}

func TestAMethodWithoutTheVersionInItsPathIsLeftOut(t *testing.T) {
	api, err := Parse([]byte(`{"name": "library", "version": "v1", "methods": {
		"m": {"id": "library.m", "httpMethod": "GET", "path": "v1:ask"}, "n": {"id": "library.n", "httpMethod": "GET", "path": "v1/shelves"}}}`))
	require.NoError(t, err)
	match, _ := api.Find("GET", "v1:ask")
	assert.Nil(t, match)
	match, _ = api.Find("GET", "v1/shelves")
	assert.NotNil(t, match)
}

func TestAllViolationsAreToldAtOnce(t *testing.T) {
	_, violations := parsed(t).Conform("Book", decode(t, `{"pages": "x", "colour": 1, "coAuthors": [{"nick": 1}]}`))
	assert.Len(t, violations, 3)
	assert.Equal(t, "cluster.node_pools[0].name", Violation{Field: "cluster.nodePools[0].name"}.ProtoField())
}

func TestRequiredFieldsThatAreMissingAreNamed(t *testing.T) {
	api := parsed(t)
	for _, body := range []map[string]any{{}, {"name": ""}} {
		missing := api.Missing("Book", "library.shelves.books.create", body)
		require.Len(t, missing, 1)
		assert.Equal(t, "name", missing[0].Field)
		assert.Equal(t, MissingField, missing[0].Kind)
	}
	assert.Empty(t, api.Missing("Book", "library.shelves.books.create", map[string]any{"name": "a"}))
	assert.Empty(t, api.Missing("Book", "library.shelves.books.touch", map[string]any{}))
}

func TestSchemasAnswerQuestions(t *testing.T) {
	api := parsed(t)
	assert.Equal(t, "books", api.ListOf("Books"))
	assert.Equal(t, "items", api.ListOf("Items"))
	assert.Empty(t, api.ListOf("Nothing"))
	assert.Equal(t, "library#book", api.DefaultOf("Book", "kind"))
	assert.Equal(t, "Author", api.Property("Book", "coAuthors"))
	assert.True(t, api.Has("Book", "createTime"))
	assert.False(t, api.Has("Book", "colour"))
	assert.True(t, api.Writable("Book", "pages"))
	assert.False(t, api.Writable("Book", "createTime"))
	assert.False(t, api.Writable("Book", "state"))
	assert.False(t, api.Writable("Book", "colour"))
}

// FuzzParse looks for documents that are taken and then cannot be worked with.
func FuzzParse(f *testing.F) {
	f.Add([]byte(library))
	f.Add([]byte(`{"version": "v1", "methods": {"m": {"id": "a.b", "path": "v1/{x}:y"}}}`))
	f.Add([]byte(`{"version": "v1", "servicePath": "a/v1/", "methods": {"m": {"id": "a.b", "path": ""}}}`))
	f.Add([]byte(`{"version": "v1", "methods": {"m": {"id": "a.b", "path": "v1/x"}, "n": {"id": "a.c", "path": "x"}}, "schemas": {"S": {"type": "array"}}}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		api, err := Parse(raw)
		if err != nil {
			return
		}
		for _, method := range api.methods {
			_, _ = method.Collection()+method.Verb()+method.QueryID(), api.ListOf(method.Response)
			parts := make([]string, len(method.segments))
			for i, segment := range method.segments {
				parts[i] = segment.text
				if segment.parameter != "" {
					parts[i] = "x" + segment.verb
				}
			}
			api.Find(method.HTTPMethod, strings.Join(parts, "/"))
		}
		for schema := range api.schemas {
			api.Conform(schema, map[string]any{"a": []any{nil, "x"}, "b": map[string]any{}})
		}
	})
}

// FuzzFind looks for paths that are found and do not fit.
func FuzzFind(f *testing.F) {
	for _, path := range []string{"v1/shelves/a/books/b", "v1/shelves/a/books/b:lend", "v1/shelves/%2F/books", "", "/", "v1"} {
		f.Add("GET", path)
		f.Add("POST", path)
	}
	api := parsed(f)
	f.Fuzz(func(t *testing.T, httpMethod, path string) {
		match, known := api.Find(httpMethod, path)
		if match == nil {
			return
		}
		if !known || match.Method.HTTPMethod != httpMethod || len(match.Path) != strings.Count(path, "/") {
			t.Errorf("%s %s found %s with %v", httpMethod, path, match.Method.ID, match.Path)
		}
		for name, value := range match.Parameters {
			if value == "" {
				t.Errorf("%s %s leaves %s empty", httpMethod, path, name)
			}
		}
	})
}

// FuzzConform looks for bodies that conform in one way and, given back, in another: what a service shows it must take.
func FuzzConform(f *testing.F) {
	for _, body := range []string{
		`{"name": "a", "copies": 1, "pages": "2", "coAuthors": [{"born": 1}]}`, `{"labels": {"a": "b"}, "extra": {"x": null}}`, `{"genre": "PROSE", "weight": 1e300}`, `{"x": null}`,
	} {
		f.Add(body)
	}
	api := parsed(f)
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var body map[string]any
		if decoder.Decode(&body) != nil {
			return
		}
		first, violations := api.Conform("Book", body)
		if len(violations) > 0 {
			return
		}
		raw, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		again, violations := api.Conform("Book", decode(t, string(raw)))
		if len(violations) > 0 {
			t.Fatalf("%s is taken as %s, which is refused: %v", text, raw, violations)
		}
		second, err := json.Marshal(again)
		if err != nil || string(raw) != string(second) {
			t.Fatalf("%s is taken as %s, and that as %s (%v)", text, raw, second, err)
		}
	})
}
