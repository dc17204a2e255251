package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
)

// parseHead parses a status line and header fields (RFC 9112, 4 and 5), ended by an empty line. The
// header is put into memory, unless that is nil.
func parseHead(head string, memory http.Header) (*http.Response, error) {
	line, rest := cutLine(head)
	if len(line) < 12 || !strings.HasPrefix(line, "HTTP/1.") || (line[7] != '0' && line[7] != '1') || line[8] != ' ' {
		return nil, fmt.Errorf("%.40q is not a status line of HTTP/1.1", line)
	}
	status := 0
	for i := 9; i < 12; i++ {
		if line[i] < '0' || line[i] > '9' {
			return nil, fmt.Errorf("%.40q has no status", line)
		}
		status = status*10 + int(line[i]-'0')
	}
	if status < 100 || (len(line) > 12 && line[12] != ' ') {
		return nil, fmt.Errorf("%.40q has no status", line)
	}
	header, err := parseFields(rest, memory)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Status: line[9:], Proto: line[:8], ProtoMajor: 1, ProtoMinor: int(line[7] - '0'), Header: header,
	}, nil
}

// parseFields parses header or trailer fields. A value that goes on in the next line is joined with a space, as a proxy must do:
// RFC 9112, 5.2. So is whitespace before the colon removed (5.1), but where it would make a length or a transfer coding of what
// others pass over.
func parseFields(lines string, header http.Header) (http.Header, error) {
	count := strings.Count(lines, "\n")
	if header == nil {
		header = make(http.Header, count)
	}
	clear(header)
	values := make([]string, 0, count)
	for lines != "" {
		var line string
		line, lines = cutLine(lines)
		if line == "" {
			return header, nil
		}
		name, value, err := parseField(line)
		if err != nil {
			return nil, err
		}
		if isFolded(lines) {
			value, lines = unfold(value, lines)
		}
		if !isFieldValue(value) {
			return nil, fmt.Errorf("the header %.40q has a control character", name)
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		if before := header[key]; before != nil {
			header[key] = append(before, value)
			continue
		}
		values = append(values, value)
		header[key] = values[len(values)-1 : len(values) : len(values)]
	}
	return nil, errors.New("the head does not end")
}

// parseField splits a line into name and value.
func parseField(line string) (name, value string, err error) {
	name, value, found := strings.Cut(line, ":")
	if trimmed := strings.TrimRight(name, " \t"); trimmed != name {
		if name = trimmed; strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") {
			return "", "", fmt.Errorf("the header %q has a space before its colon", name)
		}
	}
	if !found || !isToken(name) {
		return "", "", fmt.Errorf("%.40q is not a header field", line)
	}
	return name, strings.Trim(value, " \t"), nil
}

// isFolded reports whether the next line goes on with the value of the one before it.
func isFolded(lines string) bool { return lines != "" && (lines[0] == ' ' || lines[0] == '\t') }

// unfold adds the lines that go on with a value, and returns those behind them.
func unfold(value, lines string) (whole, rest string) {
	parts := []string{value}
	for isFolded(lines) {
		var line string
		line, lines = cutLine(lines)
		parts = append(parts, strings.Trim(line, " \t"))
	}
	return strings.Trim(strings.Join(parts, " "), " \t"), lines
}

// cutLine splits after the first line, whose end it removes.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// isToken reports whether s can name a header: RFC 9110, 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// isFieldValue reports whether s can be a header's value: RFC 9110, 5.5. A bare carriage return is none.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// HasToken reports whether a list-based header has a token, in any case.
func HasToken(values []string, token string) bool {
	for _, value := range values {
		for element := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(element, " \t"), token) {
				return true
			}
		}
	}
	return false
}
