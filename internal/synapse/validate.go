package synapse

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxNameLength is the longest name in characters: with a prefix it still fits PostgreSQL's 63-byte identifiers and
// a DNS label.
const MaxNameLength = 40

var (
	namePattern  = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	labelPattern = regexp.MustCompile(`^[a-z0-9A-Z]([a-z0-9A-Z._/-]*[a-z0-9A-Z])?$`)
	envPattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// checkName says what is wrong with a name, or nothing.
func checkName(name string) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > MaxNameLength:
		return fmt.Sprintf("must have at most %d characters, not %d", MaxNameLength, len(name))
	case !namePattern.MatchString(name):
		return "must be lower-case letters, digits and hyphens, start with a letter and not end with a hyphen"
	}
	return ""
}

// ValidateName checks a name: a DNS label of at most [MaxNameLength] characters that starts with a letter.
func ValidateName(pointer, name string) []FieldError {
	if err := checkName(name); err != "" {
		return []FieldError{invalid(pointer, "%q %s", name, err)}
	}
	return nil
}

// ValidateLabels checks the keys and values of labels: at most 64, each of at most 63 characters.
func ValidateLabels(pointer string, labels map[string]string) []FieldError {
	var errs []FieldError
	if len(labels) > 64 {
		errs = append(errs, invalid(pointer, "at most 64 labels are allowed, not %d", len(labels)))
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		at := pointer + "/" + EscapePointer(key)
		if len(key) > 63 || !labelPattern.MatchString(key) {
			errs = append(errs, invalid(at, "label key %q must have 1 to 63 letters, digits, dots, hyphens, underscores or slashes, and start and end with a letter or digit", key))
		}
		if value := labels[key]; len(value) > 63 || (value != "" && !labelPattern.MatchString(value)) {
			errs = append(errs, invalid(at, "label value %q must have at most 63 letters, digits, dots, hyphens, underscores or slashes, and start and end with a letter or digit", value))
		}
	}
	return errs
}

// Duration is a span of time as Go writes it: "90s", "1h30m".
type Duration string

// Value parses the duration. An invalid one counts as zero: call it on validated specs only.
func (d Duration) Value() time.Duration {
	v, _ := time.ParseDuration(string(d))
	return v
}

// validateDuration checks that d parses and lies between low and high, both included.
func validateDuration(pointer string, d Duration, low, high time.Duration) []FieldError {
	v, err := time.ParseDuration(string(d))
	if err != nil {
		return []FieldError{invalid(pointer, "%q is not a duration: write it as a number with a unit, such as 30s, 5m or 720h", string(d))}
	}
	if v < low || v > high {
		return []FieldError{invalid(pointer, "%s is out of range: it must be between %s and %s", d, shortDuration(low), shortDuration(high))}
	}
	return nil
}

// shortDuration writes a duration as people do: 24h, not 24h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func validateCIDRs(pointer string, cidrs []string) []FieldError {
	var errs []FieldError
	for i, cidr := range cidrs {
		at := fmt.Sprintf("%s/%d", pointer, i)
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil:
			errs = append(errs, invalid(at, "%q is not a CIDR range: write an address and a prefix length, such as 10.0.0.0/8", cidr))
		case prefix.Masked() != prefix:
			errs = append(errs, invalid(at, "%q has host bits set: write %s", cidr, prefix.Masked()))
		}
	}
	return errs
}

func validateEnv(pointer string, env map[string]string) []FieldError {
	var errs []FieldError
	for _, name := range slices.Sorted(maps.Keys(env)) {
		at := pointer + "/" + EscapePointer(name)
		switch {
		case !envPattern.MatchString(name):
			errs = append(errs, invalid(at, "%q is not a name of an environment variable", name))
		case name == "PORT" || name == "DATABASE_URL" || strings.HasPrefix(name, "SYNAPSE_"):
			errs = append(errs, invalid(at, "%s is set by the platform: choose another name", name))
		case strings.ContainsRune(env[name], 0):
			errs = append(errs, invalid(at, "the value of %s contains a zero byte", name))
		}
	}
	return errs
}

// validatePromLabels checks the names and values of Prometheus labels or annotations. A value is any text but what no rule file
// can hold: it may have several lines.
func validatePromLabels(pointer string, labels map[string]string, most int) []FieldError {
	var errs []FieldError
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if !envPattern.MatchString(name) || strings.HasPrefix(name, "__") {
			errs = append(errs, invalid(at(pointer, name), "%q is not a name of a Prometheus label: letters, digits and underscores, not beginning with a digit or two underscores", name))
		}
		switch value := labels[name]; {
		case !utf8.ValidString(value):
			errs = append(errs, invalid(at(pointer, name), "must be UTF-8 text"))
		case strings.ContainsRune(value, 0):
			errs = append(errs, invalid(at(pointer, name), "must not have a NUL character in it"))
		case utf8.RuneCountInString(value) > most:
			errs = append(errs, invalid(at(pointer, name), "must have at most %d characters, not %d", most, utf8.RuneCountInString(value)))
		}
	}
	return errs
}

func validateText(pointer, text string, most int) []FieldError {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		return []FieldError{invalid(pointer, "must be printable UTF-8 text on one line")}
	}
	if n := utf8.RuneCountInString(text); n > most {
		return []FieldError{invalid(pointer, "must have at most %d characters, not %d", most, n)}
	}
	return nil
}

func validateOneOf[T ~string](pointer string, value T, allowed ...T) []FieldError {
	if slices.Contains(allowed, value) {
		return nil
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	return []FieldError{invalid(pointer, "%q is not one of %s", string(value), strings.Join(words, ", "))}
}

func invalid(pointer, format string, args ...any) FieldError {
	return FieldError{Pointer: pointer, Code: CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

func immutable(pointer, format string, args ...any) FieldError {
	return FieldError{Pointer: pointer, Code: CodeImmutable, Message: fmt.Sprintf(format, args...)}
}

// EscapePointer escapes one token of a JSON pointer, as RFC 6901 section 3 says.
func EscapePointer(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

// SplitPointer returns the unescaped tokens of a JSON pointer.
func SplitPointer(pointer string) []string {
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, t := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens
}

// at appends tokens, names or indexes, to a JSON pointer.
func at(pointer string, tokens ...any) string {
	for _, token := range tokens {
		pointer += "/" + EscapePointer(fmt.Sprint(token))
	}
	return pointer
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
