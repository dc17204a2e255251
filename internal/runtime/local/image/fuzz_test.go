package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReference looks for references that change when they are read again.
func FuzzReference(f *testing.F) {
	for _, seed := range []string{"a", "localhost:1/a:b", "a@sha256:" + strings.Repeat("0", 64), "/", ":", "@", "[::1]:1/a", "a//b", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		parsed, err := parse(ref)
		if err != nil {
			return
		}
		again, err := parse(parsed.Name())
		if err != nil || again.Name() != parsed.Name() {
			t.Errorf("%q became %q, and that %v, %v", ref, parsed.Name(), again, err)
		}
	})
}

// FuzzExtract unpacks arbitrary layers, and looks whether anything outside of the image changed.
func FuzzExtract(f *testing.F) {
	layer := func(headers ...tar.Header) []byte {
		var buffer bytes.Buffer
		writer := tar.NewWriter(&buffer)
		for _, header := range headers {
			require.NoError(f, writer.WriteHeader(&header))
		}
		require.NoError(f, writer.Close())
		return buffer.Bytes()
	}
	wayOut := []tar.Header{
		{Typeflag: tar.TypeDir, Name: "x"}, {Typeflag: tar.TypeSymlink, Name: "x/l", Linkname: ".."},
		{Typeflag: tar.TypeSymlink, Name: "a", Linkname: "x/l/.."}, {Typeflag: tar.TypeReg, Name: "b"},
	}
	for _, evil := range []tar.Header{
		{Typeflag: tar.TypeReg, Name: "../evil"}, {Typeflag: tar.TypeReg, Name: "a/evil"}, {Typeflag: tar.TypeDir, Name: "a/evil"},
		{Typeflag: tar.TypeLink, Name: "c", Linkname: "a/canary"}, {Typeflag: tar.TypeLink, Name: "a/c", Linkname: "b"},
		{Typeflag: tar.TypeReg, Name: "a/.wh.canary"}, {Typeflag: tar.TypeReg, Name: "a/.wh..wh..opq"},
		{Typeflag: tar.TypeReg, Name: ".wh..."}, {Typeflag: tar.TypeSymlink, Name: "a/evil", Linkname: "/"},
	} {
		f.Add(layer(wayOut...), layer(evil))
	}
	f.Fuzz(func(t *testing.T, lower, upper []byte) {
		outside := t.TempDir()
		canary, dir := filepath.Join(outside, "canary"), filepath.Join(outside, "rootfs")
		require.NoError(t, os.WriteFile(canary, []byte("alive"), 0o600))
		require.NoError(t, os.Mkdir(dir, 0o755))
		root, err := os.OpenRoot(dir)
		require.NoError(t, err)
		defer root.Close()
		x := &extractor{root: root, left: 1 << 20, space: 1 << 20}
		for _, layer := range [][]byte{lower, upper} {
			if err := x.extract(&limitedReader{ctx: t.Context(), from: bytes.NewReader(layer), left: &x.left}); errors.Is(err, io.EOF) {
				t.Error("the end of a layer was told as an error")
			}
		}
		entries, err := os.ReadDir(outside)
		require.NoError(t, err)
		content, err := os.ReadFile(canary)
		require.NoError(t, err)
		if len(entries) != 2 || string(content) != "alive" {
			t.Errorf("outside of the image there are %v and %q", entries, content)
		}
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			require.NoError(t, err)
			if kind := entry.Type(); kind != 0 && kind != fs.ModeDir && kind != fs.ModeSymlink {
				t.Errorf("%s is a %s", path, kind)
			}
			return nil
		}))
	})
}
