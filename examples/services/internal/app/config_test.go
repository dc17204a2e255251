package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadConfig(t *testing.T) {
	t.Parallel()
	complete := map[string]string{"PORT": "8080", "DATABASE_URL": "postgres://db"}
	tests := map[string]struct {
		change map[string]string
		want   Config
		errors []string
	}{
		"the platform's minimum is enough": {
			want: Config{Addr: "127.0.0.1:8080", DatabaseURL: "postgres://db", Service: "auth", Version: "v1", Region: "none"},
		},
		"the environment names version, region and failures": {
			change: map[string]string{"VERSION": "v2", "SYNAPSE_REGION": "eu-west", "SYNAPSE_SERVICE": "login", "FAIL_PERCENT": "30"},
			want: Config{Addr: "127.0.0.1:8080", DatabaseURL: "postgres://db", Service: "login", Version: "v2", Region: "eu-west",
				FailPercent: 30},
		},
		"everything that is wrong is said at once": {
			change: map[string]string{"PORT": "http", "DATABASE_URL": "", "FAIL_PERCENT": "101"},
			errors: []string{`PORT is "http"`, "DATABASE_URL is not set", `FAIL_PERCENT is "101"`},
		},
		"port 0 is refused": {change: map[string]string{"PORT": "0"}, errors: []string{`PORT is "0"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			getenv := func(key string) string {
				if value, changed := test.change[key]; changed {
					return value
				}
				return complete[key]
			}
			got, err := ReadConfig(getenv, "auth", "v1")
			if len(test.errors) == 0 {
				require.NoError(t, err)
				require.Equal(t, test.want, got)
			}
			for _, message := range test.errors {
				require.ErrorContains(t, err, message)
			}
		})
	}
}
