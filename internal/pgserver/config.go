package pgserver

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Settings are parameters of a server, as in postgresql.conf, each value unquoted.
type Settings map[string]string

// String writes the settings as postgresql.conf has them, in the order of their names.
func (s Settings) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s = %s\n", name, quote(s[name]))
	}
	return b.String()
}

// quote writes a value as postgresql.conf wants it: in single quotes, with quotes doubled and backslashes escaped
// (PostgreSQL manual, "Setting Parameters", 20.1.2).
func quote(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\n", `\n`).Replace(value) + "'"
}

// WriteFile writes a file of mode 0600 that belongs to u, at once: a reader, or a crash, sees the old content or the new
// one. It reports whether the content changed.
func (u *User) WriteFile(path, content string) (changed bool, err error) {
	if old, err := os.ReadFile(path); err == nil && string(old) == content {
		return false, nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	if _, err := file.WriteString(content); err != nil {
		return false, fmt.Errorf("writing %s: %w", path, err)
	}
	if err := file.Sync(); err != nil {
		return false, fmt.Errorf("writing %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return false, fmt.Errorf("writing %s: %w", path, err)
	}
	if err := u.Own(file.Name()); err != nil {
		return false, err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return false, fmt.Errorf("writing %s: %w", path, err)
	}
	return true, nil
}
