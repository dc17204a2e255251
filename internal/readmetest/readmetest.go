// Package readmetest reads what a README shows, so that tests can do it and compare.
package readmetest

import (
	"bufio"
	"regexp"
	"strings"
)

// Fence is one fenced block of a Markdown file.
type Fence struct {
	Language, Text string
	// Line is where it begins.
	Line int
}

// Fences returns the fenced blocks of a text, in order.
func Fences(markdown string) []Fence {
	var all []Fence
	var open *Fence
	scanner := bufio.NewScanner(strings.NewReader(markdown))
	for line := 1; scanner.Scan(); line++ {
		text := scanner.Text()
		language, isFence := strings.CutPrefix(text, "```")
		switch {
		case isFence && open == nil:
			open = &Fence{Language: language, Line: line}
		case isFence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.Text += text + "\n"
		}
	}
	return all
}

// Session is one command of a console block, with the output that the document shows.
type Session struct {
	Command string
	Shown   []string
}

// Sessions returns the commands of a console block, which begin with "$ ".
func Sessions(text string) []Session {
	var all []Session
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, Session{Command: command})
		} else if len(all) > 0 {
			last := &all[len(all)-1]
			last.Shown = append(last.Shown, line)
		}
	}
	return all
}

// Unlike returns the first line shown that the output does not have, in order. In a line shown, … stands for anything;
// numbers, revisions and digests, which differ from run to run, and white space match any of their kind.
func Unlike(output string, shown []string) string {
	rest := strings.Split(output, "\n")
	for _, line := range shown {
		if line = strings.TrimSpace(line); line == "" || line == "…" {
			continue
		}
		pattern := regexp.MustCompile(loosely(line))
		at := 0
		for at < len(rest) && !pattern.MatchString(rest[at]) {
			at++
		}
		if at == len(rest) {
			return line
		}
		rest = rest[at+1:]
	}
	return ""
}

var varying = regexp.MustCompile(`\s+|…|sha256:[0-9a-f]+|\br[0-9a-f]{8}\b|\d+(\.\d+)?`)

func loosely(line string) string {
	pattern, end := "", 0
	for _, at := range varying.FindAllStringIndex(line, -1) {
		pattern += regexp.QuoteMeta(line[end:at[0]])
		switch found := line[at[0]:at[1]]; {
		case strings.TrimSpace(found) == "":
			pattern += `\s+`
		case found == "…":
			pattern += ".*"
		case found[0] == 's':
			pattern += "sha256:[0-9a-f]+"
		case found[0] == 'r':
			pattern += "r[0-9a-f]{8}"
		default:
			pattern += `\d+(\.\d+)?`
		}
		end = at[1]
	}
	return pattern + regexp.QuoteMeta(line[end:])
}
