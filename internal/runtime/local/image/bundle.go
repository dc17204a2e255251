package image

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// defaultPath is where commands are looked for in images that set no PATH, as container engines do.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Bundle is an unpacked image. The paths in it are the image's own; [Bundle.Executable] and [Bundle.Dir] are the host's.
type Bundle struct {
	// Root is the directory with the files of the image.
	Root       string   `json:"-"`
	Command    []string `json:"command"` // entrypoint and arguments
	Env        []string `json:"env"`
	WorkingDir string   `json:"working_dir"`
	User       string   `json:"user"`
}

// Executable returns the path on the host of the program that the image runs. It is looked up inside of the image alone:
// a name in the image's PATH, a path from its root or its working directory, symbolic links within it.
func (b Bundle) Executable() (string, error) {
	if len(b.Command) == 0 || b.Command[0] == "" {
		return "", permanent(ReasonNoEntrypoint, "the image has no command: set an entrypoint when building it")
	}
	root, err := os.OpenRoot(b.Root)
	if err != nil {
		return "", err
	}
	defer root.Close()
	command := b.Command[0]
	var refused error
	for _, candidate := range b.candidates(command) {
		inside := strings.TrimPrefix(path.Clean("/"+candidate), "/")
		info, err := root.Stat(filepath.FromSlash(inside))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			refused = permanent(ReasonInvalid, "the image's command %s can not be looked up in it: %s", command, err)
		case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
			refused = permanent(ReasonNoEntrypoint, "the image's command %s is not an executable file: correct its mode", command)
		default:
			return filepath.Join(b.Root, filepath.FromSlash(inside)), nil
		}
	}
	if refused != nil {
		return "", refused
	}
	return "", permanent(ReasonNoEntrypoint, "the image's command %s is not among its files: correct its entrypoint", command)
}

func (b Bundle) candidates(command string) []string {
	if path.IsAbs(command) {
		return []string{command}
	}
	if strings.Contains(command, "/") {
		return []string{path.Join("/", b.WorkingDir, command)}
	}
	search := defaultPath
	for _, variable := range b.Env {
		if value, found := strings.CutPrefix(variable, "PATH="); found {
			search = value
		}
	}
	var candidates []string
	for dir := range strings.SplitSeq(search, ":") {
		candidates = append(candidates, path.Join("/", dir, command))
	}
	return candidates
}

// Dir returns the path on the host of the image's working directory, or Root where the image has none.
func (b Bundle) Dir() string {
	root, err := os.OpenRoot(b.Root)
	if err != nil {
		return b.Root
	}
	defer root.Close()
	inside := filepath.FromSlash(strings.TrimPrefix(path.Clean("/"+b.WorkingDir), "/"))
	if info, err := root.Stat(inside); inside == "" || err != nil || !info.IsDir() {
		return b.Root
	}
	return filepath.Join(b.Root, inside)
}
