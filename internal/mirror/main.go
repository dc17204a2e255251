// Command mirror checks that one environment mirrors another: that two tfvars files differ only where a file of rules allows it,
// with a reason. A key given twice in a map, of which HCL takes the last in silence, is refused.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Rules string   `required:"" placeholder:"FILE" help:"What may differ, and why."`
	Read  []string `placeholder:"FILE" help:"Read this file too, and refuse keys that it gives twice."`

	Mirror string `arg:"" help:"The tfvars file that must mirror the other, for example staging.tfvars."`
	Of     string `arg:"" help:"The tfvars file that is mirrored, for example prod.tfvars."`
}

func main() {
	var cli commandLine
	kong.Parse(&cli, kong.Name("mirror"), kong.Description("Fails where two tfvars files differ in anything that the rules do not allow."))
	if err := cli.run(os.Stdout); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(os.Stderr, "mirror:", line)
		}
		os.Exit(1)
	}
}

func (cli commandLine) run(stdout io.Writer) error {
	rules, err := read(cli.Rules, parseRules)
	one, errOne := read(cli.Mirror, parseVariables)
	two, errTwo := read(cli.Of, parseVariables)
	problems := []error{err, errOne, errTwo}
	for _, path := range cli.Read {
		_, err := read(path, parseVariables)
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	for _, it := range compare(one, two, nil, rules) {
		problems = append(problems, errors.New(it.say(cli.Mirror, cli.Of, cli.Rules)))
	}
	for _, it := range rules {
		if !one.has(it.path) && !two.has(it.path) {
			problems = append(problems, fmt.Errorf("%s: allow %q matches nothing: correct the path, or remove the rule", it.at, it.path))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s mirrors %s: they differ in nothing but what the %d rules of %s allow.\n", cli.Mirror, cli.Of, len(rules), cli.Rules)
	return err
}

// read parses a file.
func read[T any](path string, parse func(content []byte, name string) (T, error)) (T, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		var none T
		return none, err
	}
	return parse(content, path)
}
