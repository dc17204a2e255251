package main

import (
	"fmt"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
)

// prometheusFlags say how to reach a Prometheus server. Secrets come from files: arguments are read by every user of the machine.
type prometheusFlags struct {
	PrometheusURL          string   `help:"Base URL of a Prometheus server that scrapes this control plane: splits and SLOs then use its metrics, and may contain queries. Default: the metrics of the gateways themselves." name:"prometheus-url" env:"SYNAPSE_PROMETHEUS_URL" placeholder:"URL"`
	PrometheusToken        string   `help:"File with a bearer token for the Prometheus server." name:"prometheus-token-file" env:"SYNAPSE_PROMETHEUS_TOKEN_FILE" placeholder:"FILE"`
	PrometheusUsername     string   `help:"User of the Prometheus server, for basic authentication." env:"SYNAPSE_PROMETHEUS_USERNAME" placeholder:"NAME"`
	PrometheusPasswordFile string   `help:"File with the password of the user." env:"SYNAPSE_PROMETHEUS_PASSWORD_FILE" placeholder:"FILE"`
	PrometheusCAFile       string   `help:"PEM file with the certificate authorities of the Prometheus server. Default: those of the system." name:"prometheus-ca-file" env:"SYNAPSE_PROMETHEUS_CA_FILE" placeholder:"FILE"`
	PrometheusHeader       []string `help:"Header to send to the Prometheus server, such as X-Scope-OrgID=team-a. May be repeated. Not for secrets." sep:"none" env:"SYNAPSE_PROMETHEUS_HEADER" placeholder:"NAME=VALUE"`
	PrometheusHeaderFile   []string `help:"Header to send whose value is read from a file. May be repeated." sep:"none" env:"SYNAPSE_PROMETHEUS_HEADER_FILE" placeholder:"NAME=FILE"`
}

func (f prometheusFlags) source() (measure.PrometheusOptions, error) {
	headers, err := pairs("--prometheus-header", "VALUE", f.PrometheusHeader)
	if err != nil {
		return measure.PrometheusOptions{}, err
	}
	files, err := pairs("--prometheus-header-file", "FILE", f.PrometheusHeaderFile)
	if err != nil {
		return measure.PrometheusOptions{}, err
	}
	return measure.PrometheusOptions{
		URL: f.PrometheusURL, TokenFile: f.PrometheusToken, Username: f.PrometheusUsername, PasswordFile: f.PrometheusPasswordFile,
		CAFile: f.PrometheusCAFile, Headers: headers, HeaderFiles: files,
	}, nil
}

// pairs reads values of a flag that are NAME=VALUE. What is wrong is not repeated: it may be a secret.
func pairs(flag, value string, texts []string) (map[string]string, error) {
	all := make(map[string]string, len(texts))
	for _, text := range texts {
		name, rest, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%s: write NAME=%s", flag, value)
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("%s: %s is given twice", flag, name)
		}
		all[name] = rest
	}
	return all, nil
}
