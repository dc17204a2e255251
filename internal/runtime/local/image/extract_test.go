package image_test

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
)

// tree lists what is below a directory: a file by its content, a link by "-> target", a directory by "/".
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		switch {
		case name == ".":
		case entry.IsDir():
			found[name] = "/"
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			require.NoError(t, err)
			found[name] = "-> " + target
		default:
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			found[name] = string(content)
		}
		return nil
	}))
	return found
}

type layers [][]file

func TestLayers(t *testing.T) {
	t.Parallel()
	for title, test := range map[string]struct {
		layers layers
		want   map[string]string
	}{
		"a later layer replaces files": {
			layers{{regular("a", "old"), regular("b", "b")}, {regular("a", "new")}},
			map[string]string{"a": "new", "b": "b"},
		},
		"missing directories are made, names from the root are the image's": {
			layers{{regular("/etc/passwd", "x"), regular("./b/c", "c")}},
			map[string]string{"etc": "/", "etc/passwd": "x", "b": "/", "b/c": "c"},
		},
		"a file becomes a directory, and a directory a file": {
			layers{{regular("a", "a"), directory("b"), regular("b/c", "c")}, {directory("a"), regular("b", "b")}},
			map[string]string{"a": "/", "b": "b"},
		},
		"a whiteout removes what earlier layers have": {
			layers{{regular("a/b", "b"), regular("a/c", "c")}, {regular("a/.wh.b", ""), regular(".wh.none", "")}},
			map[string]string{"a": "/", "a/c": "c"},
		},
		"an opaque whiteout keeps what its own layer has, wherever it stands": {
			layers{{regular("a/old", ""), regular("a/d/old", "")}, {regular("a/d/new", "n"), regular("a/.wh..wh..opq", ""), regular("a/new", "n")}},
			map[string]string{"a": "/", "a/new": "n", "a/d": "/", "a/d/new": "n"},
		},
		"a whiteout of what its own layer has spares that": {
			layers{{regular("a/old", "")}, {regular("a/new", "n"), regular(".wh.a", "")}},
			map[string]string{"a": "/", "a/new": "n"},
		},
		"a hard link shares its file until a later layer replaces it": {
			layers{{regular("a", "a"), hardLink("b", "/a")}, {regular("b", "b")}},
			map[string]string{"a": "a", "b": "b"},
		},
		"an absolute link leads into the image": {
			layers{{regular("usr/bin/app", "x"), symlink("bin", "/usr/bin"), symlink("usr/lib", "/usr/bin"), symlink("root", "/")}},
			map[string]string{"usr": "/", "usr/bin": "/", "usr/bin/app": "x", "bin": "-> usr/bin", "usr/lib": "-> ../usr/bin", "root": "-> ."},
		},
		"a link above the root ends at the root": {
			layers{{symlink("a/b", "../../../../etc/passwd")}},
			map[string]string{"a": "/", "a/b": "-> ../etc/passwd"},
		},
		"files are written through links to directories of the image": {
			layers{{directory("usr/lib"), symlink("lib", "usr/lib")}, {regular("lib/a", "a"), symlink("lib/b", "/usr/lib/a")}},
			map[string]string{"usr": "/", "usr/lib": "/", "lib": "-> usr/lib", "usr/lib/a": "a", "usr/lib/b": "-> ../../usr/lib/a"},
		},
		"a file replaces a link instead of being written through it": {
			layers{{regular("a", "a"), symlink("b", "a")}, {regular("b", "b")}},
			map[string]string{"a": "a", "b": "b"},
		},
		"a directory replaces a link": {
			layers{{regular("a/x", "x"), symlink("b", "a")}, {directory("b"), regular("b/y", "y")}},
			map[string]string{"a": "/", "a/x": "x", "b": "/", "b/y": "y"},
		},
		"devices and pipes are left out": {
			layers{{
				{tar.Header{Typeflag: tar.TypeChar, Name: "dev/null", Devmajor: 1, Devminor: 3}, ""},
				{tar.Header{Typeflag: tar.TypeBlock, Name: "sda", Devmajor: 8}, ""},
				{tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"}, ""},
			}},
			map[string]string{"dev": "/"},
		},
		"links that go in a circle harm nobody": {
			layers{{symlink("a", "b"), symlink("b", "a")}},
			map[string]string{"a": "-> b", "b": "-> a"},
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			var archives [][]byte
			for _, files := range test.layers {
				archives = append(archives, archive(t, files...))
			}
			bundle, err := unpack(t, entrypoint, archives...)
			require.NoError(t, err)
			require.Equal(t, test.want, tree(t, bundle.Root))
		})
	}
	for title, test := range map[string]struct{ layers layers }{
		"a name that leads out":                  {layers{{regular("../evil", "x")}}},
		"a name that leads out later":            {layers{{regular("a/../../evil", "x")}}},
		"a hard link to a file outside":          {layers{{hardLink("a", "../../../../../../../../etc/passwd")}}},
		"a hard link to a file that is not":      {layers{{hardLink("a", "/etc/passwd")}}},
		"a hard link to a link":                  {layers{{symlink("a", "/etc/passwd"), hardLink("b", "a")}}},
		"a hard link to a directory":             {layers{{directory("a"), hardLink("b", "a")}}},
		"a hard link through a way out":          {layers{{directory("x"), symlink("x/l", ".."), symlink("a", "x/l/../.."), hardLink("b", "a/bundle.json")}}},
		"a file through a way out":               {layers{{directory("x"), symlink("x/l", ".."), symlink("a", "x/l/.."), regular("a/evil", "x")}}},
		"a directory through a way out":          {layers{{directory("x"), symlink("x/l", ".."), symlink("a", "x/l/.."), directory("a/evil/deep")}}},
		"a whiteout through a way out":           {layers{{directory("x"), symlink("x/l", ".."), symlink("a", "x/l/.."), regular("a/.wh.rootfs", "")}}},
		"a file through links in a circle":       {layers{{symlink("a", "b"), symlink("b", "a"), regular("a/c", "x")}}},
		"a file below a file":                    {layers{{regular("a", "a"), regular("a/b", "b")}}},
		"a whiteout of the directory above":      {layers{{regular("a/.wh...", "")}}},
		"a whiteout of the directory itself":     {layers{{regular("a/.wh..", "")}}},
		"a whiteout of nothing":                  {layers{{regular("a/.wh.", "")}}},
		"a file larger than an image may be":     {layers{{regular("a", strings.Repeat("0", 1<<20+1))}}},
		"layers larger together than one may be": {layers{{regular("a", strings.Repeat("0", 600<<10))}, {regular("a", strings.Repeat("0", 600<<10))}}},
		"a name without end":                     {layers{{regular(strings.Repeat("a/", 3000)+"a", "")}}},
	} {
		t.Run(title+" is refused and nothing stays", func(t *testing.T) {
			t.Parallel()
			store, dir := open(t, image.WithMaxSize(1<<20))
			var archives [][]byte
			for _, files := range test.layers {
				archives = append(archives, archive(t, files...))
			}
			ref := push(t, serve(t, t.TempDir())+"/evil:v1", build(t, entrypoint, archives...))
			before := tree(t, filepath.Dir(dir))
			_, err := store.Unpack(t.Context(), ref)
			requireReason(t, err, image.ReasonInvalid)
			require.Equal(t, before, tree(t, filepath.Dir(dir)))
		})
	}
	t.Run("what is no archive is refused", func(t *testing.T) {
		t.Parallel()
		_, err := unpack(t, entrypoint, []byte(strings.Repeat("not an archive", 100)))
		requireReason(t, err, image.ReasonInvalid)
	})
	t.Run("a small archive of a large file with holes is refused", func(t *testing.T) {
		t.Parallel()
		sparse := file{tar.Header{Typeflag: tar.TypeReg, Name: "a", Mode: 0o644, PAXRecords: map[string]string{
			"GNU_sparse_major": "0", "GNU_sparse_minor": "1", "GNU_sparse_numblocks": "1", "GNU_sparse_map": "0,1",
			"GNU_sparse_size": "9000000",
		}}, "x"}
		layer := archive(t, sparse) // archive/tar reads such files but writes none
		for _, record := range []string{"major", "minor", "numblocks", "map", "size"} {
			layer = bytes.ReplaceAll(layer, []byte("GNU_sparse_"+record), []byte("GNU.sparse."+record))
		}
		header, err := tar.NewReader(bytes.NewReader(layer)).Next()
		require.NoError(t, err)
		require.EqualValues(t, 9_000_000, header.Size)
		_, err = unpack(t, entrypoint, layer)
		requireReason(t, err, image.ReasonInvalid)
		require.ErrorContains(t, err, "1 MiB")
	})
	t.Run("permissions let all read, none but the owner write, and none become another", func(t *testing.T) {
		t.Parallel()
		bundle, err := unpack(t, entrypoint, archive(t, directory("d"),
			file{tar.Header{Typeflag: tar.TypeReg, Name: "d/setuid", Mode: 0o4700}, ""},
			file{tar.Header{Typeflag: tar.TypeReg, Name: "d/secret", Mode: 0o600}, ""},
			file{tar.Header{Typeflag: tar.TypeReg, Name: "d/open", Mode: 0o666}, ""},
		))
		require.NoError(t, err)
		for name, want := range map[string]fs.FileMode{
			"..": 0o755, "": 0o755, "d": 0o755, "d/setuid": 0o755, "d/secret": 0o644, "d/open": 0o644,
		} {
			info, err := os.Stat(filepath.Join(bundle.Root, name))
			require.NoError(t, err)
			require.Equal(t, want, info.Mode()&^fs.ModeDir, name)
		}
		info, err := os.Stat(filepath.Dir(filepath.Dir(bundle.Root)))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o711), info.Mode().Perm())
	})
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	t.Run("concurrent calls fetch an image once", func(t *testing.T) {
		t.Parallel()
		handler, err := image.NewRegistry(t.TempDir(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		var layerFetches atomic.Int64
		registry := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				layerFetches.Add(1)
			}
			handler.ServeHTTP(w, r)
		}))
		ref := push(t, registry+"/app:v1", build(t, entrypoint, archive(t, program("app"))))
		store, dir := open(t)
		var calls sync.WaitGroup
		for range 16 {
			calls.Go(func() {
				if bundle, err := store.Unpack(t.Context(), ref); err != nil || !strings.HasPrefix(bundle.Root, dir) {
					t.Errorf("got %v, %v", bundle, err)
				}
			})
		}
		calls.Wait()
		require.EqualValues(t, 2, layerFetches.Load(), "one configuration, one layer")
	})
	t.Run("an unpacked image needs no registry, even for another store", func(t *testing.T) {
		t.Parallel()
		gone := make(chan struct{})
		handler, err := image.NewRegistry(t.TempDir(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		registry := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-gone:
				w.WriteHeader(http.StatusBadGateway)
			default:
				handler.ServeHTTP(w, r)
			}
		}))
		ref := push(t, registry+"/app:v1", build(t, entrypoint, archive(t, program("app"))))
		store, dir := open(t)
		want, err := store.Unpack(t.Context(), ref)
		require.NoError(t, err)
		close(gone)
		store, err = image.Open(dir)
		require.NoError(t, err)
		_, err = store.Resolve(t.Context(), ref)
		require.NoError(t, err)
		got, err := store.Unpack(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	t.Run("a reference without a digest is refused", func(t *testing.T) {
		t.Parallel()
		store, _ := open(t)
		_, err := store.Unpack(t.Context(), "localhost:1/app:v1")
		requireReason(t, err, image.ReasonInvalid)
	})
	t.Run("a layer that was tampered with is not unpacked, however far behind its end the digest is compared", func(t *testing.T) {
		t.Parallel()
		content := append(archive(t, regular("app", "honest")), make([]byte, 256<<10)...)
		layer := static.NewLayer(content, types.OCIUncompressedLayer)
		app, err := mutate.AppendLayers(build(t, entrypoint), layer)
		require.NoError(t, err)
		digest, err := layer.Digest()
		require.NoError(t, err)
		ref := push(t, serve(t, t.TempDir())+"/app:v1", app)

		registry, _, _ := strings.Cut(ref, "/")
		lying := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, digest.Hex) { // the registry itself would notice: this answers in its place
				_, _ = w.Write(bytes.Replace(content, []byte("honest"), []byte("rigged"), 1))
				return
			}
			http.Redirect(w, r, "http://"+registry+r.URL.Path, http.StatusTemporaryRedirect)
		}))
		store, dir := open(t)
		_, err = store.Unpack(t.Context(), strings.Replace(ref, registry, lying, 1))
		require.ErrorContains(t, err, digest.Hex)
		require.Empty(t, tree(t, dir))
	})
	t.Run("an unfinished image is cleared away", func(t *testing.T) {
		t.Parallel()
		_, dir := open(t)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, ".tmp-1", "rootfs"), 0o755))
		_, err := image.Open(dir)
		require.NoError(t, err)
		require.Empty(t, tree(t, dir))
	})
	t.Run("pruning keeps what is to be kept and touches nothing else", func(t *testing.T) {
		t.Parallel()
		registry := serve(t, t.TempDir())
		store, dir := open(t)
		bundles := map[string]image.Bundle{}
		for _, tag := range []string{"a", "b"} {
			ref := push(t, registry+"/app:"+tag, build(t, entrypoint, archive(t, program(tag))))
			bundle, err := store.Unpack(t.Context(), ref)
			require.NoError(t, err)
			bundles[ref[strings.Index(ref, "@")+1:]] = bundle
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "other"), nil, 0o600))
		for digest, kept := range bundles {
			require.NoError(t, store.Prune(t.Context(), map[string]bool{digest: true}))
			require.DirExists(t, kept.Root)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, entries, 2)
			break
		}
	})
}

func TestBundle(t *testing.T) {
	t.Parallel()
	content := archive(t,
		program("usr/bin/app"), regular("usr/bin/data", ""), directory("usr/bin/dir"), symlink("bin", "/usr/bin"),
		program("opt/tool"), directory("work"), symlink("work/app", "/usr/bin/app"), symlink("out", "x/l/../.."),
		directory("x"), symlink("x/l", ".."), symlink("shell", "/bin/sh"),
	)
	for title, test := range map[string]struct {
		config v1.Config
		want   string // below Root, or the reason
	}{
		"a path":                              {v1.Config{Entrypoint: []string{"/usr/bin/app", "-v"}}, "/usr/bin/app"},
		"a path through an absolute link":     {v1.Config{Cmd: []string{"/bin/app"}}, "/bin/app"},
		"a name":                              {v1.Config{Cmd: []string{"app"}}, "/usr/bin/app"},
		"a name in the image's PATH":          {v1.Config{Cmd: []string{"tool"}, Env: []string{"PATH=/none:/opt"}}, "/opt/tool"},
		"a path from the working directory":   {v1.Config{Cmd: []string{"./app"}, WorkingDir: "/work"}, "/work/app"},
		"a path that climbs ends at the root": {v1.Config{Cmd: []string{"/../../usr/bin/app"}}, "/usr/bin/app"},
		"a program of the host":               {v1.Config{Cmd: []string{"/bin/sh"}}, image.ReasonNoEntrypoint},
		"a link to a program of the host":     {v1.Config{Cmd: []string{"/shell"}}, image.ReasonNoEntrypoint},
		"a way out":                           {v1.Config{Cmd: []string{"/out/bin/sh"}}, image.ReasonInvalid},
		"a name that is nowhere":              {v1.Config{Cmd: []string{"sh"}}, image.ReasonNoEntrypoint},
		"a name outside of the PATH":          {v1.Config{Cmd: []string{"app"}, Env: []string{"PATH=/opt"}}, image.ReasonNoEntrypoint},
		"a file that is no program":           {v1.Config{Cmd: []string{"data"}}, image.ReasonNoEntrypoint},
		"a directory":                         {v1.Config{Cmd: []string{"/usr/bin/dir"}}, image.ReasonNoEntrypoint},
		"an empty name":                       {v1.Config{Cmd: []string{""}}, image.ReasonNoEntrypoint},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			bundle, err := unpack(t, test.config, content)
			require.NoError(t, err)
			executable, err := bundle.Executable()
			if !strings.HasPrefix(test.want, "/") {
				requireReason(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, bundle.Root+test.want, executable)
			data, err := os.ReadFile(executable)
			require.NoError(t, err)
			require.Equal(t, "#!program", string(data))
		})
	}
	for workingDir, want := range map[string]string{"": "", "/": "", "/work": "/work", "work": "/work", "/none": "", "/out": "", "/../work": "/work"} {
		t.Run("the working directory is within the image: "+workingDir, func(t *testing.T) {
			t.Parallel()
			bundle, err := unpack(t, v1.Config{Cmd: []string{"app"}, WorkingDir: workingDir}, content)
			require.NoError(t, err)
			require.Equal(t, bundle.Root+want, bundle.Dir())
		})
	}
}
