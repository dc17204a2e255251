package app

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Config is what the platform tells a service through its environment.
type Config struct {
	// Addr is where to listen: PORT on loopback.
	Addr string
	// DatabaseURL logs in as the platform's application role, or as the one tenant that a dedicated deployment serves.
	DatabaseURL string
	Service     string
	Version     string
	Region      string
	// FailPercent is how many of 100 logins and session checks fail on purpose, from FAIL_PERCENT: it makes a candidate that
	// a progression must catch.
	FailPercent int
}

// ReadConfig reads the environment. The version is the one compiled in, unless VERSION says otherwise.
func ReadConfig(getenv func(string) string, service, version string) (Config, error) {
	cfg := Config{
		DatabaseURL: getenv("DATABASE_URL"),
		Service:     or(getenv("SYNAPSE_SERVICE"), service),
		Version:     or(getenv("VERSION"), version),
		Region:      or(getenv("SYNAPSE_REGION"), "none"),
	}
	var errs []error
	port, err := strconv.ParseUint(getenv("PORT"), 10, 16)
	if err != nil || port == 0 {
		errs = append(errs, fmt.Errorf("PORT is %q: set it to the TCP port to listen on, 1 to 65535", getenv("PORT")))
	}
	cfg.Addr = net.JoinHostPort("127.0.0.1", strconv.FormatUint(port, 10))
	if cfg.DatabaseURL == "" {
		errs = append(errs, errors.New("DATABASE_URL is not set: set it to a PostgreSQL connection URL"))
	}
	if percent := getenv("FAIL_PERCENT"); percent != "" {
		cfg.FailPercent, err = strconv.Atoi(percent)
		if err != nil || cfg.FailPercent < 0 || cfg.FailPercent > 100 {
			errs = append(errs, fmt.Errorf("FAIL_PERCENT is %q: set it to a whole number from 0 to 100", percent))
		}
	}
	return cfg, errors.Join(errs...)
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
