package image

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// opaque is the name after ".wh." of the mark that hides all that earlier layers have in a directory.
const opaque = ".wh..opq"

// mark remembers that the layer at work wrote a path, and thereby the directories above.
func mark(written map[string]bool, inside string) {
	for ; inside != "." && !written[inside]; inside = path.Dir(inside) {
		written[inside] = true
	}
}

// whiteout removes from a directory what earlier layers had there: one name, or all.
func (x *extractor) whiteout(dir, hidden string, written map[string]bool) error {
	switch {
	case hidden == opaque:
		return x.clear(dir, written)
	case strings.HasPrefix(hidden, ".wh."): // bookkeeping of old storage drivers
		return nil
	case hidden == "" || hidden == "." || hidden == "..":
		return fmt.Errorf("%w: a whiteout of no name", errUnsafe)
	}
	inside := path.Join(dir, hidden)
	if !written[inside] {
		return x.root.RemoveAll(inside)
	}
	if info, err := x.root.Lstat(inside); err == nil && info.IsDir() {
		return x.clear(inside, written)
	}
	return nil
}

// clear removes from a directory all that the layer at work did not write.
func (x *extractor) clear(dir string, written map[string]bool) error {
	entries, err := fs.ReadDir(x.root.FS(), dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		inside := path.Join(dir, entry.Name())
		switch {
		case !written[inside]:
			err = x.root.RemoveAll(inside)
		case entry.IsDir():
			err = x.clear(inside, written)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
