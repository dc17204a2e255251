package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	// maxEntries bounds the number of files in an image; the largest known have some 200,000.
	maxEntries = 1_000_000
	maxName    = 4096 // of a path, as the kernel has it
)

var (
	errTooLarge = errors.New("it is too large")
	errUnsafe   = errors.New("it is not safe to unpack")
)

// extractor writes the layers of one image below one directory. All access goes through an [os.Root], which follows no
// link to the outside, whatever the layers contain.
type extractor struct {
	root *os.Root
	left int64 // bytes that may yet be read
	// space is how many bytes may yet be written: more than are read, for an archive can tell of holes in files.
	space   int64
	entries int
}

// extractLayers unpacks all layers of an image. The digest of each is verified.
func extractLayers(ctx context.Context, dir, ref string, image v1.Image, maxSize int64) error {
	layers, err := image.Layers()
	if err != nil {
		return fetching(ref, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpacking image %s: %w", ref, err)
	}
	defer root.Close()
	x := &extractor{root: root, left: maxSize, space: maxSize}
	for i, layer := range layers {
		if err := x.layer(ctx, layer); err != nil {
			err = fmt.Errorf("layer %d: %w", i+1, err)
			if errors.Is(err, errTooLarge) {
				return permanent(ReasonInvalid, "image %s is larger than the %d MiB allowed: make it smaller", ref, maxSize>>20)
			}
			if errors.Is(err, errUnsafe) || errors.Is(err, tar.ErrHeader) {
				return permanent(ReasonInvalid, "image %s can not be unpacked: %s", ref, err)
			}
			return fetching(ref, err)
		}
	}
	return nil
}

func (x *extractor) layer(ctx context.Context, layer v1.Layer) error {
	if size, err := layer.Size(); err == nil && size > x.left {
		return errTooLarge
	}
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer content.Close()
	limited := &limitedReader{ctx: ctx, from: content, left: &x.left}
	if err := x.extract(limited); err != nil {
		return err
	}
	// The digest is compared at the end of the stream, which lies behind the end of the archive.
	_, err = io.Copy(io.Discard, limited)
	return err
}

// limitedReader fails when an image turns out larger than allowed, however small it was compressed.
type limitedReader struct {
	ctx  context.Context
	from io.Reader
	left *int64
}

func (r *limitedReader) Read(buffer []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.from.Read(buffer)
	if *r.left -= int64(n); *r.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// extract unpacks one layer over the layers before.
func (x *extractor) extract(content io.Reader) error {
	written := map[string]bool{}
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if x.entries++; x.entries > maxEntries {
			return fmt.Errorf("%w: there are more than %d files", errUnsafe, maxEntries)
		}
		if err := x.entry(header, archive, written); err != nil {
			return fmt.Errorf("%.200q: %w", header.Name, err)
		}
	}
}

func (x *extractor) entry(header *tar.Header, content io.Reader, written map[string]bool) error {
	inside, err := clean(header.Name)
	if err != nil {
		return err
	}
	if inside == "." {
		return nil
	}
	dir, base := path.Split(inside)
	if dir, err = x.parent(path.Clean(dir)); err != nil {
		return err
	}
	inside = path.Join(dir, base)
	if hidden, found := strings.CutPrefix(base, ".wh."); found {
		return x.whiteout(dir, hidden, written)
	}
	switch header.Typeflag {
	case tar.TypeDir, tar.TypeReg, tar.TypeSymlink, tar.TypeLink:
	default: // devices and pipes: services have no use for them, and they are a way out
		return nil
	}
	if header.Typeflag == tar.TypeLink {
		return x.hardLink(inside, header.Linkname, written)
	}
	if err := x.makeWay(inside, header.Typeflag == tar.TypeDir); err != nil {
		return err
	}
	mark(written, inside)
	switch header.Typeflag {
	case tar.TypeDir:
		return x.mkdirAll(inside)
	case tar.TypeSymlink:
		return unsafeIf(x.root.Symlink(linkTarget(dir, header.Linkname), inside))
	default:
		return x.file(inside, header, content)
	}
}

// clean turns a name in an archive into a path below the root. Names that lead out of it are refused, absolute ones are
// the image's.
func clean(name string) (string, error) {
	if len(name) > maxName || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%w: bad name", errUnsafe)
	}
	cleaned := path.Clean(strings.TrimLeft(name, "/"))
	if !filepath.IsLocal(cleaned) {
		return "", fmt.Errorf("%w: the name leads out of the image", errUnsafe)
	}
	return cleaned, nil
}

// parent makes a directory with those above it, and returns its path without symbolic links.
func (x *extractor) parent(dir string) (string, error) {
	if err := x.mkdirAll(dir); err != nil {
		return "", err
	}
	base, err := filepath.EvalSymlinks(x.root.Name())
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(filepath.Join(base, dir))
	if err != nil {
		return "", unsafeIf(err)
	}
	inside, err := filepath.Rel(base, resolved)
	if err != nil || !filepath.IsLocal(inside) {
		return "", fmt.Errorf("%w: its directory is a link out of the image", errUnsafe)
	}
	return inside, nil
}

// mkdirAll makes directories that all may enter, whatever the umask.
func (x *extractor) mkdirAll(dir string) error {
	if info, err := x.root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if above := path.Dir(dir); above != "." {
		if err := x.mkdirAll(above); err != nil {
			return err
		}
	}
	if err := x.root.Mkdir(dir, 0o755); err != nil {
		return unsafeIf(err)
	}
	return x.root.Chmod(dir, 0o755)
}

// makeWay removes what a new entry replaces, so that nothing is ever written through a link. A directory stays where a
// directory is wanted.
func (x *extractor) makeWay(inside string, wantDir bool) error {
	info, err := x.root.Lstat(inside)
	if errors.Is(err, fs.ErrNotExist) || err == nil && wantDir && info.IsDir() {
		return nil
	}
	if err != nil {
		return unsafeIf(err)
	}
	return x.root.RemoveAll(inside)
}

func (x *extractor) file(inside string, header *tar.Header, content io.Reader) error {
	if x.space -= header.Size; x.space < 0 {
		return errTooLarge
	}
	mode := fs.FileMode(0o644)
	if header.Mode&0o111 != 0 {
		mode = 0o755
	}
	file, err := x.root.OpenFile(inside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return unsafeIf(err)
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Chmod(mode), file.Close())
}

func (x *extractor) hardLink(inside, target string, written map[string]bool) error {
	target, err := clean(target)
	if err != nil {
		return err
	}
	info, err := x.root.Lstat(target)
	if err != nil {
		return unsafeIf(err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: a hard link to what is not a file", errUnsafe)
	}
	if old, err := x.root.Lstat(inside); err == nil && os.SameFile(old, info) {
		return nil
	}
	if err := x.makeWay(inside, false); err != nil {
		return err
	}
	mark(written, inside)
	return unsafeIf(x.root.Link(target, inside))
}

// linkTarget keeps a symbolic link in a directory of the image inside of the image: absolute targets, which would be the
// host's, become relative, and ".." ends at the root.
func linkTarget(dir, target string) string {
	if !path.IsAbs(target) && filepath.IsLocal(path.Join(dir, target)) {
		return target
	}
	absolute := path.Clean("/" + target)
	if !path.IsAbs(target) {
		absolute = path.Join("/", dir, target)
	}
	up := ""
	if dir != "." {
		up = strings.Repeat("../", strings.Count(dir, "/")+1)
	}
	return path.Clean("./" + up + strings.TrimPrefix(absolute, "/"))
}

// unsafeIf makes an error of the file system one of the image, unless the disk is at fault.
func unsafeIf(err error) error {
	if err == nil || isDiskError(err) {
		return err
	}
	return fmt.Errorf("%w: %w", errUnsafe, err)
}
