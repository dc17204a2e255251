package process

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

const (
	// maxLog is the size in bytes from which on a log is put aside at the next start, replacing the one put aside before.
	maxLog = 10 << 20
	// maxTail and maxLine bound what TailLog reads and returns.
	maxTail = 64 << 10
	maxLine = 2 << 10
)

// openLog opens a log to append to, after putting a large one aside as PATH.1.
func openLog(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil && info.Size() >= maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
}

// TailLog returns the last lines of a log, at most 64 KiB of it, without what a terminal would not print. Of a log that can
// not be read it returns nothing.
func TailLog(path string, lines int) []string {
	file, err := os.Open(path)
	if err != nil || lines <= 0 {
		return nil
	}
	defer file.Close()
	cut := false
	if info, err := file.Stat(); err == nil && info.Size() > maxTail {
		_, err = file.Seek(-maxTail, io.SeekEnd)
		cut = err == nil
	}
	data, err := io.ReadAll(io.LimitReader(file, maxTail))
	if err != nil || len(data) == 0 {
		return nil
	}
	all := strings.Split(strings.TrimRight(string(data), "\r\n"), "\n")
	if cut && len(all) > 1 {
		all = all[1:] // the first is a part of a line
	}
	all = all[max(0, len(all)-lines):]
	for i, line := range all {
		all[i] = printable(line)
	}
	return all
}

func printable(line string) string {
	line = line[:min(len(line), maxLine)]
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, line)
}
