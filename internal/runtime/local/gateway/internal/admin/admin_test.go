package admin

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

const token = "0123456789abcdef0123456789abcdef"

type settings struct {
	Generation int64
	Name       string
}

// fixture is an admin port and what it applied.
type fixture struct {
	*Server[settings]
	file    string
	applied []settings
}

func newFixture(t *testing.T, file string) *fixture {
	f := &fixture{file: file}
	f.Server = New(Options[settings]{
		Token: token, File: file, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		Validate: func(s *settings) error {
			if s.Name == "" {
				return errors.New("a name is required")
			}
			return nil
		},
		Generation: func(s *settings) int64 { return s.Generation },
		Apply: func(s *settings) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Contains(t, string(content), s.Name, "it is on disk before it is served")
			f.applied = append(f.applied, *s)
		},
		InFlight: func() map[string]int64 { return map[string]int64{"a": 3} },
	})
	return f
}

func (f *fixture) call(method, path, body string, authorization ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header["Authorization"] = authorization
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, request)
	return recorder
}

func TestOnlyTheTokenOpensTheAdminPort(t *testing.T) {
	t.Parallel()
	f := newFixture(t, filepath.Join(t.TempDir(), "config.json"))
	for _, path := range []string{"GET /config", "PUT /config", "GET /in-flight", "GET /metrics", "GET /observations", "PUT /faults"} {
		method, path, _ := strings.Cut(path, " ")
		for name, authorization := range map[string][]string{
			"none": nil, "another token": {"Bearer x" + token}, "a part of it": {"Bearer " + token[:31]},
			"no scheme": {token}, "another scheme": {"Basic " + token}, "nothing": {"Bearer "},
		} {
			t.Run(method+" "+path+" with "+name, func(t *testing.T) {
				answer := f.call(method, path, `{"Generation":1,"Name":"x"}`, authorization...)
				require.Equal(t, http.StatusUnauthorized, answer.Code)
				require.Equal(t, "Bearer", answer.Header().Get("WWW-Authenticate"))
				require.NotContains(t, answer.Body.String(), token)
			})
		}
	}
	require.Empty(t, f.applied)
	require.NoFileExists(t, f.file)
	require.Equal(t, http.StatusOK, f.call(http.MethodGet, "/healthz", "").Code)
	require.JSONEq(t, `{"a":3}`, f.call(http.MethodGet, "/in-flight", "", "Bearer "+token).Body.String())
	require.Equal(t, http.StatusOK, f.call(http.MethodGet, "/metrics", "", "Bearer "+token).Code)
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	f := newFixture(t, filepath.Join(t.TempDir(), "config.json"))
	for _, step := range []struct {
		name, body string
		status     int
		generation string
	}{
		{"the first is applied", `{"Generation":5,"Name":"five"}`, 200, `{"generation":5}`},
		{"an older one is refused", `{"Generation":4,"Name":"four"}`, 409, `{"generation":5}`},
		{"one of the same generation is applied", `{"Generation":5,"Name":"again"}`, 200, `{"generation":5}`},
		{"an invalid one is refused", `{"Generation":6}`, 400, `{"generation":5}`},
		{"one that is no JSON is refused", `{`, 400, `{"generation":5}`},
		{"one with a field that is not known is refused", `{"Generation":6,"Name":"six","Deny":true}`, 400, `{"generation":5}`},
		{"a newer one is applied", `{"Generation":7,"Name":"seven"}`, 200, `{"generation":7}`},
	} {
		t.Run(step.name, func(t *testing.T) {
			answer := f.call(http.MethodPut, "/config", step.body, "Bearer "+token)
			require.Equal(t, step.status, answer.Code, answer.Body)
			require.JSONEq(t, step.generation, f.call(http.MethodGet, "/config", "", "Bearer "+token).Body.String())
		})
	}
	require.Equal(t, []settings{{5, "five"}, {5, "again"}, {7, "seven"}}, f.applied)

	t.Run("the last one is served again after a restart, and older ones stay refused", func(t *testing.T) {
		again := newFixture(t, f.file)
		again.Load()
		require.Equal(t, []settings{{7, "seven"}}, again.applied)
		require.Equal(t, http.StatusConflict, again.call(http.MethodPut, "/config", `{"Generation":6,"Name":"six"}`, "Bearer "+token).Code)
	})
	t.Run("the file is for its owner only, and no other file is left", func(t *testing.T) {
		info, err := os.Stat(f.file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		entries, err := os.ReadDir(filepath.Dir(f.file))
		require.NoError(t, err)
		require.Len(t, entries, 1)
	})
}

func TestWhatCannotBeKeptIsNotServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, filepath.Join(t.TempDir(), "missing", "config.json"))
	require.Equal(t, http.StatusInternalServerError, f.call(http.MethodPut, "/config", `{"Generation":1,"Name":"one"}`, "Bearer "+token).Code)
	require.Empty(t, f.applied)
	require.JSONEq(t, `{"generation":0}`, f.call(http.MethodGet, "/config", "", "Bearer "+token).Body.String())
}

func TestAFileThatCannotBeUsedIsAsGoodAsNone(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"cut off": `{"Generation":3,"Na`, "invalid": `{"Generation":3}`} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.json")
			require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
			f := newFixture(t, file)
			f.Load()
			require.Empty(t, f.applied)
			require.Equal(t, http.StatusOK, f.call(http.MethodPut, "/config", `{"Generation":1,"Name":"one"}`, "Bearer "+token).Code)
		})
	}
	t.Run("a field of a newer version does not keep the rest from being served", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "config.json")
		require.NoError(t, os.WriteFile(file, []byte(`{"Generation":3,"Name":"three","New":1}`), 0o600))
		f := newFixture(t, file)
		f.Load()
		require.Equal(t, []settings{{3, "three"}}, f.applied)
	})
}

func TestReadToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, content string
		mode          os.FileMode
		fault         string
	}{
		{"a good one", token + "\n", 0o600, ""},
		{"one that others may read", token, 0o640, "chmod 600"},
		{"one that is too short", "secret", 0o600, "at least 32"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "token")
			require.NoError(t, os.WriteFile(file, []byte(test.content), 0o600))
			require.NoError(t, os.Chmod(file, test.mode))
			got, err := ReadToken(file)
			if test.fault == "" {
				require.NoError(t, err)
				require.Equal(t, token, got)
				return
			}
			require.ErrorContains(t, err, test.fault)
			require.NotContains(t, err.Error(), strings.TrimSpace(test.content))
		})
	}
	t.Run("none", func(t *testing.T) {
		_, err := ReadToken(filepath.Join(t.TempDir(), "token"))
		require.ErrorIs(t, err, os.ErrNotExist)
	})
	require.NotEqual(t, Derive(token, "a"), Derive(token, "b"))
	require.NotContains(t, Derive(token, "a"), token)
}
