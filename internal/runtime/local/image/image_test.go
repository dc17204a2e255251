package image_test

import (
	"archive/tar"
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
)

// serve starts a registry and returns the beginning of references to it.
func serve(t testing.TB, dir string) string {
	t.Helper()
	handler, err := image.NewRegistry(dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return listen(t, handler)
}

func listen(t testing.TB, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func open(t testing.TB, options ...image.Option) (*image.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "images")
	store, err := image.Open(dir, options...)
	require.NoError(t, err)
	return store, dir
}

// file is an entry of a layer; a header without a size gets that of the content.
type file struct {
	header  tar.Header
	content string
}

func regular(name, content string) file {
	return file{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, content}
}

func program(name string) file {
	return file{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755}, "#!program"}
}

func directory(name string) file {
	return file{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o700}, ""}
}

func symlink(name, target string) file {
	return file{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}, ""}
}

func hardLink(name, target string) file {
	return file{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target}, ""}
}

func archive(t testing.TB, files ...file) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, f := range files {
		f.header.Size = int64(len(f.content))
		require.NoError(t, writer.WriteHeader(&f.header))
		_, err := io.WriteString(writer, f.content)
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	return buffer.Bytes()
}

var entrypoint = v1.Config{Entrypoint: []string{"/app"}}

// build makes an image for this machine.
func build(t testing.TB, config v1.Config, layers ...[]byte) v1.Image {
	t.Helper()
	return buildFor(t, "linux", goruntime.GOARCH, config, layers...)
}

func buildFor(t testing.TB, system, architecture string, config v1.Config, layers ...[]byte) v1.Image {
	t.Helper()
	built, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: system, Architecture: architecture, Config: config, RootFS: v1.RootFS{Type: "layers"}})
	require.NoError(t, err)
	for _, content := range layers {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content)), nil
		})
		require.NoError(t, err)
		built, err = mutate.AppendLayers(built, layer)
		require.NoError(t, err)
	}
	return built
}

// push returns the reference by digest.
func push(t testing.TB, ref string, pushed v1.Image) string {
	t.Helper()
	tag, err := name.NewTag(ref)
	require.NoError(t, err)
	require.NoError(t, remote.Write(tag, pushed))
	digest, err := pushed.Digest()
	require.NoError(t, err)
	return tag.Context().Name() + "@" + digest.String()
}

// unpack pushes an image of the layers and unpacks it.
func unpack(t testing.TB, config v1.Config, layers ...[]byte) (image.Bundle, error) {
	t.Helper()
	store, _ := open(t, image.WithMaxSize(1<<20))
	return store.Unpack(t.Context(), push(t, serve(t, t.TempDir())+"/app:v1", build(t, config, layers...)))
}

func requireReason(t testing.TB, err error, reason string) {
	t.Helper()
	var permanent *runtime.PermanentError
	require.ErrorAs(t, err, &permanent)
	require.Equal(t, reason, permanent.Reason, permanent.Message)
	require.Equal(t, "/spec/image", permanent.Field)
	require.NotEmpty(t, permanent.Message)
}

func requireRetriable(t testing.TB, err error) {
	t.Helper()
	var permanent *runtime.PermanentError
	require.Error(t, err)
	require.NotErrorAs(t, err, &permanent)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	registry := serve(t, t.TempDir())
	app := build(t, entrypoint, archive(t, program("app")))
	byDigest := push(t, registry+"/team/app:v1", app)
	_, digest, _ := strings.Cut(byDigest, "@")
	push(t, registry+"/command:v1", build(t, v1.Config{Cmd: []string{"app"}}))
	push(t, registry+"/nothing:v1", build(t, v1.Config{}))
	push(t, registry+"/windows:v1", buildFor(t, "windows", goruntime.GOARCH, entrypoint))
	push(t, registry+"/s390x:v1", buildFor(t, "linux", "s390x", entrypoint))

	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: buildFor(t, "linux", "s390x", entrypoint), Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}}},
	)
	pushIndex := func(ref string, index v1.ImageIndex) string {
		tag, err := name.NewTag(registry + ref)
		require.NoError(t, err)
		require.NoError(t, remote.WriteIndex(tag, index))
		hash, err := index.Digest()
		require.NoError(t, err)
		return tag.Context().Name() + "@" + hash.String()
	}
	pushIndex("/foreign:v1", index)
	both := pushIndex("/both:v1", mutate.AppendManifests(index, mutate.IndexAddendum{Add: app, Descriptor: v1.Descriptor{
		Platform: &v1.Platform{OS: "linux", Architecture: goruntime.GOARCH}}}))

	store, _ := open(t)
	for title, test := range map[string]struct{ ref, want string }{
		"a tag becomes a digest":                      {registry + "/team/app:v1", byDigest},
		"a digest stays":                              {byDigest, byDigest},
		"a digest with a tag stays as it was written": {registry + "/team/app:v1@" + digest, registry + "/team/app:v1@" + digest},
		"an index keeps its own digest":               {registry + "/both:v1", both},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			resolved, err := store.Resolve(t.Context(), test.ref)
			require.NoError(t, err)
			require.Equal(t, test.want, resolved.Reference)
			require.True(t, strings.HasSuffix(test.want, "@"+resolved.Digest))
		})
	}
	t.Run("a command without an entrypoint is enough", func(t *testing.T) {
		t.Parallel()
		_, err := store.Resolve(t.Context(), registry+"/command:v1")
		require.NoError(t, err)
	})
	denied := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	locked := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	for title, test := range map[string]struct{ ref, reason string }{
		"an empty reference":                     {"", image.ReasonInvalid},
		"capital letters":                        {registry + "/APP:v1", image.ReasonInvalid},
		"a URL":                                  {"https://" + registry + "/app:v1", image.ReasonInvalid},
		"a short digest":                         {registry + "/app@sha256:123", image.ReasonInvalid},
		"a repository that does not exist":       {registry + "/other:v1", image.ReasonNotFound},
		"a tag that does not exist":              {registry + "/team/app:v2", image.ReasonNotFound},
		"a digest that does not exist":           {registry + "/team/app@sha256:" + strings.Repeat("0", 64), image.ReasonNotFound},
		"a registry that asks for a password":    {locked + "/app:v1", image.ReasonUnauthorized},
		"a registry that forbids it":             {denied + "/app:v1", image.ReasonUnauthorized},
		"no entrypoint":                          {registry + "/nothing:v1", image.ReasonNoEntrypoint},
		"another system":                         {registry + "/windows:v1", image.ReasonPlatform},
		"another architecture":                   {registry + "/s390x:v1", image.ReasonPlatform},
		"an index without this machine's images": {registry + "/foreign:v1", image.ReasonPlatform},
	} {
		t.Run(title+" is refused", func(t *testing.T) {
			t.Parallel()
			_, err := store.Resolve(t.Context(), test.ref)
			requireReason(t, err, test.reason)
		})
	}
	t.Run("a registry that can not be reached is tried again later", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.NotFoundHandler())
		address := strings.TrimPrefix(server.URL, "http://")
		server.Close()
		_, err := store.Resolve(t.Context(), address+"/app:v1")
		requireRetriable(t, err)
	})
	t.Run("a registry that is down is tried again later", func(t *testing.T) {
		t.Parallel()
		broken := listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		_, err := store.Resolve(t.Context(), broken+"/app:v1")
		requireRetriable(t, err)
	})
	t.Run("a registry on another machine is not spoken to without TLS", func(t *testing.T) {
		t.Parallel()
		moved := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1"+r.URL.Path, http.StatusTemporaryRedirect)
		}))
		_, err := store.Resolve(t.Context(), moved+"/app:v1")
		requireRetriable(t, err)
		require.ErrorContains(t, err, "plain HTTP is for registries on this machine only")
	})
}

func TestPushBinary(t *testing.T) {
	t.Parallel()
	registry := serve(t, t.TempDir())
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o755))
		return path
	}
	static := write("service", elfFile(2, 62, 1))
	t.Run("a static program is pushed, resolved and unpacked", func(t *testing.T) {
		t.Parallel()
		if goruntime.GOARCH != "amd64" {
			t.Skip("the program is for amd64")
		}
		options := image.PushOptions{Env: []string{"A=b"}, Args: []string{"serve"}}
		digest, err := image.PushBinary(t.Context(), static, registry+"/service:v1", options)
		require.NoError(t, err)
		again, err := image.PushBinary(t.Context(), static, registry+"/service:v2", options)
		require.NoError(t, err)
		require.Equal(t, digest, again, "not reproducible")

		store, _ := open(t)
		resolved, err := store.Resolve(t.Context(), registry+"/service:v1")
		require.NoError(t, err)
		require.Equal(t, digest, resolved.Digest)
		bundle, err := store.Unpack(t.Context(), resolved.Reference)
		require.NoError(t, err)
		require.Equal(t, []string{"/service", "serve"}, bundle.Command)
		require.Equal(t, []string{"A=b"}, bundle.Env)
		executable, err := bundle.Executable()
		require.NoError(t, err)
		content, err := os.ReadFile(executable)
		require.NoError(t, err)
		require.Equal(t, elfFile(2, 62, 1), content)
	})
	for title, content := range map[string][]byte{
		"a script":                      []byte("#!/bin/sh\n"),
		"an empty file":                 nil,
		"a program linked dynamically":  elfFile(3, 62, 3),
		"a program for another machine": elfFile(2, 22, 1),
		"an object file":                elfFile(1, 62, 1),
	} {
		path := write(strings.ReplaceAll(title, " ", "-"), content)
		t.Run(title+" is refused with advice", func(t *testing.T) {
			t.Parallel()
			_, err := image.PushBinary(t.Context(), path, registry+"/refused:v1", image.PushOptions{})
			require.ErrorContains(t, err, "CGO_ENABLED=0")
			require.ErrorContains(t, err, "go build")
		})
	}
	t.Run("a file that does not exist is refused", func(t *testing.T) {
		t.Parallel()
		_, err := image.PushBinary(t.Context(), filepath.Join(dir, "none"), registry+"/refused:v1", image.PushOptions{})
		require.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("a name with a digest is refused", func(t *testing.T) {
		t.Parallel()
		_, err := image.PushBinary(t.Context(), static, registry+"/a@sha256:"+strings.Repeat("0", 64), image.PushOptions{})
		requireReason(t, err, image.ReasonInvalid)
	})
}

// elfFile is the smallest ELF file of a type, for a machine, with one segment of a type.
func elfFile(kind, machine, segment byte) []byte {
	file := make([]byte, 64+56)
	copy(file, "\x7fELF\x02\x01\x01")
	file[16], file[18], file[20] = kind, machine, 1
	file[32], file[52], file[54], file[56] = 64, 64, 56, 1 // program headers: offset, header size, size, number
	file[58] = 64
	file[64] = segment
	return file
}
