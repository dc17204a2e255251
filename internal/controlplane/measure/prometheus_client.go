package measure

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheusv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"
)

// prometheusTimeout is how long one query may take: an analysis makes a few, and its interval is seconds at least.
const prometheusTimeout = 10 * time.Second

// PrometheusOptions say how to reach a Prometheus server, or what has its HTTP API. What is secret is read from its file for each
// request, so that it may change.
type PrometheusOptions struct {
	// URL is the base URL of the server.
	URL string
	// TokenFile holds a bearer token. Optional.
	TokenFile string
	// Username and PasswordFile are for HTTP basic authentication (RFC 7617): both or neither, and not with a token.
	Username, PasswordFile string
	// CAFile holds, as PEM, the certificate authorities that the server's certificate is checked with, in place of the system's.
	CAFile string
	// Headers are sent with each request, by name, such as X-Scope-OrgID. HeaderFiles hold values that are secret.
	Headers, HeaderFiles map[string]string
	// Timeout is how long one query may take; ten seconds when it is 0.
	Timeout time.Duration
}

// Configured reports whether anything but the URL is given.
func (o *PrometheusOptions) Configured() bool {
	return o.TokenFile+o.Username+o.PasswordFile+o.CAFile != "" || len(o.Headers)+len(o.HeaderFiles) > 0
}

// NewPrometheus returns a source for a server. An error names the option of synapsed that is wrong.
func NewPrometheus(options PrometheusOptions) (*Prometheus, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	timeout := options.Timeout
	if timeout == 0 {
		timeout = prometheusTimeout
	}
	// Following a redirect would hand the secrets to whatever host it names.
	client, err := config.NewClientFromConfig(options.clientConfig(), "prometheus")
	if err != nil {
		return nil, fmt.Errorf("preparing the client of the Prometheus server: %w", err)
	}
	client.Timeout, client.Transport = timeout, answers{next: client.Transport}
	apiClient, err := api.NewClient(api.Config{Address: options.URL, Client: client})
	if err != nil {
		return nil, fmt.Errorf("preparing the client of the Prometheus server: %w", err)
	}
	return &Prometheus{api: prometheusv1.NewAPI(apiClient)}, nil
}

func (o *PrometheusOptions) clientConfig() config.HTTPClientConfig {
	wanted := config.HTTPClientConfig{
		TLSConfig: config.TLSConfig{CAFile: o.CAFile}, EnableHTTP2: true, ProxyConfig: config.ProxyConfig{ProxyFromEnvironment: true},
	}
	if o.TokenFile != "" {
		wanted.Authorization = &config.Authorization{Type: "Bearer", CredentialsFile: o.TokenFile}
	}
	if o.Username != "" {
		wanted.BasicAuth = &config.BasicAuth{Username: o.Username, PasswordFile: o.PasswordFile}
	}
	headers := make(map[string]config.Header)
	for name, value := range o.Headers {
		headers[name] = config.Header{Values: []string{value}}
	}
	for name, file := range o.HeaderFiles {
		headers[name] = config.Header{Files: []string{file}}
	}
	if len(headers) > 0 {
		wanted.HTTPHeaders = &config.Headers{Headers: headers}
	}
	return wanted
}

// Validate says which option of synapsed is wrong, and reads the files once.
func (o *PrometheusOptions) Validate() error {
	// The address itself is not in the messages: a password may be in it.
	base, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return errors.New("--prometheus-url does not parse: write it as http://HOST:9090")
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return errors.New("--prometheus-url must begin with http:// or https:// and a host, such as http://127.0.0.1:9090")
	case base.User != nil:
		return errors.New("--prometheus-url has a user in it: give --prometheus-username and --prometheus-password-file, or --prometheus-token-file")
	case base.RawQuery != "" || base.Fragment != "":
		return errors.New("--prometheus-url has a query or a fragment: it is the base of the HTTP API, such as https://prometheus.example.com/prometheus")
	case o.TokenFile != "" && o.Username != "":
		return errors.New("--prometheus-token-file and --prometheus-username: give one of them, a request has one Authorization header")
	case (o.Username == "") != (o.PasswordFile == ""):
		return errors.New("--prometheus-username and --prometheus-password-file: give both or neither")
	case strings.Contains(o.Username, ":"):
		return errors.New("--prometheus-username has a colon in it, which ends the name in HTTP basic authentication")
	case o.CAFile != "" && base.Scheme != "https":
		return errors.New("--prometheus-ca-file: --prometheus-url must begin with https://, else no certificate is checked")
	}
	if err := o.validateFiles(); err != nil {
		return err
	}
	return o.validateHeaders()
}

// validateFiles makes sure that the secrets can be read and are not empty.
func (o *PrometheusOptions) validateFiles() error {
	files := [][2]string{{"--prometheus-token-file", o.TokenFile}, {"--prometheus-password-file", o.PasswordFile}}
	for _, name := range slices.Sorted(maps.Keys(o.HeaderFiles)) {
		files = append(files, [2]string{"--prometheus-header-file " + name, o.HeaderFiles[name]})
	}
	for _, file := range files {
		if file[1] == "" {
			continue
		}
		content, err := os.ReadFile(file[1])
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", file[0], err)
		case strings.TrimSpace(string(content)) == "":
			return fmt.Errorf("%s: %s is empty", file[0], file[1])
		case !httpguts.ValidHeaderFieldValue(strings.TrimSpace(string(content))):
			return fmt.Errorf("%s: what is in %s has several lines or other control characters: it goes into a header", file[0], file[1])
		}
	}
	if o.CAFile == "" {
		return nil
	}
	if _, err := config.NewTLSConfig(&config.TLSConfig{CAFile: o.CAFile}); err != nil {
		return fmt.Errorf("--prometheus-ca-file: %w: give a PEM file with the certificates of the authorities", err)
	}
	return nil
}

// secretHeaders carry secrets by their name, which are not to be in arguments: other users of the machine read those.
var secretHeaders = []string{"Cookie", "X-Api-Key", "X-Auth-Token"}

func (o *PrometheusOptions) validateHeaders() error {
	seen := make(map[string]bool)
	check := func(flag, name string) error {
		canonical := http.CanonicalHeaderKey(name)
		_, reserved := config.ReservedHeaders[canonical]
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return fmt.Errorf("%s: %q is not a header's name", flag, name)
		case canonical == "Authorization":
			return fmt.Errorf("%s: give --prometheus-token-file, or --prometheus-username and --prometheus-password-file, in place of an Authorization header", flag)
		case reserved:
			return fmt.Errorf("%s: %s is set by the client itself: leave it out", flag, canonical)
		case seen[canonical]:
			return fmt.Errorf("%s: %s is given twice", flag, canonical)
		}
		seen[canonical] = true
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		if err := check("--prometheus-header", name); err != nil {
			return err
		}
		if slices.Contains(secretHeaders, http.CanonicalHeaderKey(name)) {
			return fmt.Errorf("--prometheus-header: %s is a secret: give it with --prometheus-header-file", http.CanonicalHeaderKey(name))
		}
		if !httpguts.ValidHeaderFieldValue(o.Headers[name]) || o.Headers[name] == "" {
			return fmt.Errorf("--prometheus-header: the value of %s is empty or has control characters", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.HeaderFiles)) {
		if err := check("--prometheus-header-file", name); err != nil {
			return err
		}
	}
	return nil
}
