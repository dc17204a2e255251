// Package pgserver finds PostgreSQL's server programs on this machine and runs them as a user that PostgreSQL accepts.
package pgserver

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// EnvBinaries is the environment variable that names the directory of PostgreSQL's server programs, for installations
// that [Find] does not know.
const EnvBinaries = "SYNAPSE_POSTGRES_BIN"

// OldestMajor is the oldest version of PostgreSQL that works: the first with max_slot_wal_keep_size, which bounds the
// disk that a lost standby can fill.
const OldestMajor = 13

// Binaries is an installation of PostgreSQL's server programs.
type Binaries struct {
	// Dir is the directory that holds initdb, postgres and pg_basebackup.
	Dir string
	// Major is the major version: 15 for 15.4.
	Major int
}

// Path returns the path of one of the programs.
func (b Binaries) Path(program string) string { return filepath.Join(b.Dir, program) }

// programs must all be there: client packages install pg_basebackup without initdb.
func programs() []string { return []string{"initdb", "postgres", "pg_basebackup"} }

// directories are the places where distributions install server programs, as patterns.
func directories() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // packages of postgresql.org for RHEL and Fedora
		"/usr/libexec/postgresql*",          // Alpine
		"/usr/lib/postgresql*/bin",          // SUSE, Arch
		"/usr/local/pgsql/bin",              // built from source
		"/usr/local/bin",                    // FreeBSD
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew on Apple silicon
		"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}
}

// Find returns the PostgreSQL installation to use: the one that [EnvBinaries] names, else the one on PATH, else the
// newest in the directories that distributions use. The error says how to install one.
func Find() (Binaries, error) {
	if dir := os.Getenv(EnvBinaries); dir != "" {
		found, err := inspect(dir)
		if err != nil {
			return Binaries{}, fmt.Errorf("%s=%s does not name PostgreSQL's server programs: %w", EnvBinaries, dir, err)
		}
		return found, nil
	}
	return find(os.Getenv("PATH"), directories())
}

func find(path string, patterns []string) (Binaries, error) {
	var rejected []error
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := inspect(dir); err == nil {
			return found, nil
		} else if errors.Is(err, errTooOld) {
			rejected = append(rejected, err)
		}
	}
	var all []Binaries
	for _, pattern := range patterns {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return Binaries{}, fmt.Errorf("looking for PostgreSQL in %s: %w", pattern, err)
		}
		for _, dir := range dirs {
			if found, err := inspect(dir); err == nil {
				all = append(all, found)
			} else if errors.Is(err, errTooOld) {
				rejected = append(rejected, err)
			}
		}
	}
	if len(all) == 0 {
		return Binaries{}, &NotFoundError{Rejected: rejected}
	}
	return slices.MaxFunc(all, func(a, b Binaries) int { return cmp.Compare(a.Major, b.Major) }), nil
}

// NotFoundError says that no usable PostgreSQL server is installed, and how to install one.
type NotFoundError struct {
	// Rejected says why installations that were found cannot be used.
	Rejected []error
}

// Error implements error.
func (e *NotFoundError) Error() string {
	why := ""
	if len(e.Rejected) > 0 {
		why = " (" + errors.Join(e.Rejected...).Error() + ")"
	}
	return fmt.Sprintf("PostgreSQL's server programs, version %d or newer, were not found%s: install them with "+
		"`apt-get install -y postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora, RHEL), "+
		"`apk add postgresql` (Alpine) or `brew install postgresql` (macOS), "+
		"or set %s to the directory that holds initdb and postgres", OldestMajor, why, EnvBinaries)
}

var errTooOld = errors.New("too old")

// inspect looks at a directory that may hold an installation.
func inspect(dir string) (Binaries, error) {
	for _, program := range programs() {
		if _, err := exec.LookPath(filepath.Join(dir, program)); err != nil {
			return Binaries{}, fmt.Errorf("looking for %s: %w", program, err)
		}
	}
	program := filepath.Join(dir, "postgres")
	output, err := exec.Command(program, "--version").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("asking %s for its version: %w", program, err)
	}
	major, err := parseMajor(string(output))
	if err != nil {
		return Binaries{}, fmt.Errorf("asking %s for its version: %w", program, err)
	}
	if major < OldestMajor {
		return Binaries{}, fmt.Errorf("%s is of version %d: %w", program, major, errTooOld)
	}
	return Binaries{Dir: dir, Major: major}, nil
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d{1,4})`)

// parseMajor reads what `postgres --version` prints: "postgres (PostgreSQL) 15.4 (Debian 15.4-1)", "… 18beta1".
func parseMajor(output string) (int, error) {
	match := versionPattern.FindStringSubmatch(output)
	if match == nil {
		return 0, fmt.Errorf("%q names no version of PostgreSQL", output)
	}
	return strconv.Atoi(match[1])
}
