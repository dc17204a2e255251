package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// authSplit is a valid split of /auth between an external stable backend and the deployment auth/v1.
func authSplit(url string, candidate int) Split {
	return Split{
		Name: "auth", Route: synapse.SplitRoute{PathPrefix: "/auth"}, Stable: "monolith", Candidates: []string{"next"},
		Backends: map[string]SplitBackend{
			"monolith": {URL: url, ReplacePrefix: "/auth", Weight: 100 - candidate},
			"next":     {Service: "auth", Deployment: "v1", ReplacePrefix: "/", Weight: candidate},
		},
	}
}

func TestSplitValidation(t *testing.T) {
	t.Parallel()
	backend := func(s *Split, name string, change func(*SplitBackend)) {
		b := s.Backends[name]
		change(&b)
		s.Backends[name] = b
	}
	for _, test := range []struct {
		name   string
		change func(*Split)
		fault  string
	}{
		{"a complete split is valid", func(*Split) {}, ""},
		{"a URL with a path and without a port is valid", func(s *Split) {
			backend(s, "monolith", func(b *SplitBackend) { b.URL = "https://legacy.example.com/app/" })
		}, ""},
		{"a bad name is refused", func(s *Split) { s.Name = "A b" }, "split"},
		{"a bad name of a backend is refused", func(s *Split) { s.Backends["a\r\nb"] = s.Backends["next"] }, "backend"},
		{"a host with a port is refused", func(s *Split) { s.Route.Host = "example.com:80" }, "host"},
		{"a host in capitals is refused", func(s *Split) { s.Route.Host = "Example.com" }, "host"},
		{"a relative prefix is refused", func(s *Split) { s.Route.PathPrefix = "auth" }, "path_prefix"},
		{"a prefix with a slash at the end is refused", func(s *Split) { s.Route.PathPrefix = "/auth/" }, "path_prefix"},
		{"an escaped prefix is refused", func(s *Split) { s.Route.PathPrefix = "/a%2Fb" }, "path_prefix"},
		{"a method that is no token is refused", func(s *Split) { s.Route.Methods = []string{"GE T"} }, "method"},
		{"weights that do not sum to 100 are refused", func(s *Split) {
			backend(s, "next", func(b *SplitBackend) { b.Weight = 50 })
		}, "sum to 149"},
		{"a negative weight is refused", func(s *Split) {
			backend(s, "next", func(b *SplitBackend) { b.Weight = -1 })
			backend(s, "monolith", func(b *SplitBackend) { b.Weight = 101 })
		}, "between 0 and 100"},
		{"a stable backend that there is not is refused", func(s *Split) { s.Stable = "other" }, `no backend "other"`},
		{"a candidate that there is not is refused", func(s *Split) { s.Candidates = []string{"other"} }, `no backend "other"`},
		{"a stable candidate is refused", func(s *Split) { s.Candidates = []string{"monolith"} }, "candidates"},
		{"candidates out of order are refused", func(s *Split) { s.Candidates = []string{"next", "a"} }, "candidates"},
		{"a backend that is two things is refused", func(s *Split) {
			backend(s, "monolith", func(b *SplitBackend) { b.Service = "auth" })
		}, "url and a deployment"},
		{"a backend that is nothing is refused", func(s *Split) {
			backend(s, "monolith", func(b *SplitBackend) { b.URL = "" })
		}, "service"},
		{"a URL of another scheme is refused", func(s *Split) {
			backend(s, "monolith", func(b *SplitBackend) { b.URL = "ftp://example.com" })
		}, "http://HOST"},
		{"a URL with a query is refused", func(s *Split) {
			backend(s, "monolith", func(b *SplitBackend) { b.URL = "http://example.com?a" })
		}, "query"},
		{"a bad replacement is refused", func(s *Split) {
			backend(s, "next", func(b *SplitBackend) { b.ReplacePrefix = "" })
		}, "replace_prefix"},
		{"an unknown key of affinity is refused", func(s *Split) { s.Affinity = &synapse.Affinity{Key: "address"} }, "address"},
		{"a cookie without a name is refused", func(s *Split) { s.Affinity = &synapse.Affinity{Key: synapse.AffinityCookie} }, "cookie"},
		{"a header's name that would split a header is refused", func(s *Split) {
			s.Affinity = &synapse.Affinity{Key: synapse.AffinityHeader, Name: "a\r\nb"}
		}, "header"},
		{"a pin to a backend that there is not is refused", func(s *Split) { s.Pins = map[string]string{"acme": "other"} }, `no backend "other"`},
		{"a rule for a backend that there is not is refused", func(s *Split) {
			s.Match = []synapse.SplitMatch{{Header: "X-Canary", Value: "1", Backend: "other"}}
		}, `no backend "other"`},
		{"a rule about no header is refused", func(s *Split) { s.Match = []synapse.SplitMatch{{Backend: "next"}} }, "header"},
		{"a mirror of writes is refused", func(s *Split) {
			s.Mirror = &synapse.Mirror{Backend: "next", Percent: 1, Methods: []string{"POST"}}
		}, "mirror"},
		{"a mirror of more than all is refused", func(s *Split) { s.Mirror = &synapse.Mirror{Backend: "next", Percent: 101} }, "percent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			split := authSplit("http://127.0.0.1:80", 1)
			test.change(&split)
			config := Config{Region: "eu", Splits: []Split{split}}
			requireFault(t, config.Validate(), test.fault)
		})
	}
	t.Run("a password in a URL is not repeated", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{"http://me:secret@example.com", "http://me:secret@exa mple.com:x"} {
			split := authSplit(url, 1)
			err := split.Validate()
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
		}
	})
	t.Run("a split listed twice is refused", func(t *testing.T) {
		t.Parallel()
		split := authSplit("http://127.0.0.1:80", 1)
		config := Config{Region: "eu", Splits: []Split{split, split}}
		requireFault(t, config.Validate(), "twice")
	})
}
