package image_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
)

func parse(t testing.TB, ref string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	require.NoError(t, err)
	return parsed
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	t.Run("images, indexes, moved tags and deletions survive a restart", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		before := serve(t, dir)
		first := build(t, entrypoint, archive(t, regular("a", "1")))
		second := build(t, entrypoint, archive(t, regular("a", "2")))
		byDigest := push(t, before+"/team/app:v1", first)
		push(t, before+"/team/app:v1", second) // the tag moves on
		push(t, before+"/team/app:gone", second)
		require.NoError(t, remote.Delete(parse(t, before+"/team/app:gone")))
		index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: first}, mutate.IndexAddendum{Add: second})
		nested := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index})
		require.NoError(t, remote.WriteIndex(parse(t, before+"/team/all:v1"), nested))

		after := serve(t, dir)
		pulled, err := remote.Image(parse(t, after+"/team/app:v1"))
		require.NoError(t, err)
		require.NoError(t, validate.Image(pulled))
		want, err := second.Digest()
		require.NoError(t, err)
		got, err := pulled.Digest()
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = remote.Image(parse(t, strings.Replace(byDigest, before, after, 1)))
		require.NoError(t, err, "a deployment by digest does not care where the tag went")
		_, err = remote.Image(parse(t, after+"/team/app:gone"))
		require.ErrorContains(t, err, "MANIFEST_UNKNOWN")
		all, err := remote.Index(parse(t, after+"/team/all:v1"))
		require.NoError(t, err)
		require.NoError(t, validate.Index(all))
	})
	t.Run("concurrent pushes are all there after a restart", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		before := serve(t, dir)
		var pushes sync.WaitGroup
		images := make([]v1.Image, 12)
		for i := range images {
			images[i] = build(t, entrypoint, archive(t, regular("a", fmt.Sprint(i))))
			tag := parse(t, fmt.Sprintf("%s/app%d:v1", before, i%3))
			pushes.Go(func() {
				if err := remote.Write(tag, images[i]); err != nil {
					t.Error(err)
				}
			})
		}
		pushes.Wait()
		after := serve(t, dir)
		for i, pushed := range images {
			digest, err := pushed.Digest()
			require.NoError(t, err)
			_, err = remote.Image(parse(t, fmt.Sprintf("%s/app%d@%s", after, i%3, digest)))
			require.NoError(t, err)
		}
	})
	body := `{"schemaVersion":2}`
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(body)))
	for title, test := range map[string]struct {
		path, body string
		status     int
	}{
		"a manifest":                      {"/v2/app/manifests/v1", body, http.StatusCreated},
		"a manifest by digest":            {"/v2/app/manifests/" + digest, body, http.StatusCreated},
		"a manifest by another's digest":  {"/v2/app/manifests/" + digest, body + " ", http.StatusBadRequest},
		"a manifest that is too large":    {"/v2/app/manifests/v1", `"` + strings.Repeat("a", 4<<20) + `"`, http.StatusRequestEntityTooLarge},
		"a manifest that is not JSON":     {"/v2/app/manifests/v1", "{", http.StatusBadRequest},
		"a manifest with a bad tag":       {"/v2/app/manifests/..", body, http.StatusNotFound},
		"a manifest without a tag":        {"/v2/app/manifests/", body, http.StatusNotFound},
		"a manifest in a bad repository":  {"/v2/../app/manifests/v1", body, http.StatusNotFound},
		"a manifest of a path not served": {"/v1/app/manifests/v1", body, http.StatusNotFound},
	} {
		t.Run(title+fmt.Sprintf(" is answered %d", test.status), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			handler, err := image.NewRegistry(dir, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			response := httptest.NewRecorder()
			handler.ServeHTTP(response, httptest.NewRequest(http.MethodPut, test.path, strings.NewReader(test.body)))
			require.Equal(t, test.status, response.Code, response.Body)
			stored, err := os.ReadDir(filepath.Join(dir, "manifests"))
			require.NoError(t, err)
			require.Equal(t, test.status == http.StatusCreated, len(stored) > 0)
		})
	}
	t.Run("a damaged manifest is told at the start", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "manifests"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "manifests", "x.json"), []byte("{"), 0o600))
		_, err := image.NewRegistry(dir, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "damaged")
	})
	t.Run("half-written files are cleared away", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		for _, left := range []string{"manifests/.tmp-1", "blobs/upload-1"} {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, left)), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, left), []byte("{"), 0o600))
		}
		serve(t, dir)
		require.NoFileExists(t, filepath.Join(dir, "manifests/.tmp-1"))
		require.NoFileExists(t, filepath.Join(dir, "blobs/upload-1"))
	})
}

// FuzzRegistry sends arbitrary requests: none may make the handler panic or fail.
func FuzzRegistry(f *testing.F) {
	f.Add("PUT", "/v2/app/manifests/v1", "application/vnd.oci.image.index.v1+json", []byte(`{"manifests":[{}]}`))
	f.Add("POST", "/v2/app/blobs/uploads/", "", []byte{})
	f.Add("GET", "/v2/app/tags/list?n=-1", "", []byte{})
	f.Add("GET", "/v2//blobs", "", []byte{})
	handler, err := image.NewRegistry(f.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, method, path, mediaType string, body []byte) {
		request, err := http.NewRequest(method, path, bytes.NewReader(body))
		if err != nil {
			t.Skip("not a request")
		}
		request.Header.Set("Content-Type", mediaType)
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		if response.Code >= 500 {
			t.Errorf("%s %s: %d %s", method, path, response.Code, response.Body)
		}
	})
}
