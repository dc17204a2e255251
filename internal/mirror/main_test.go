package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const reason = "{\n  reason = \"They differ.\"\n}\n"

func TestTwoFilesMayDifferWhereARuleSaysSoAndNowhereElse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		staging, prod, rules string
		// want are the problems, in order; without any, the files mirror each other.
		want []string
	}{
		"equal files need no rules": {
			"a = { b = [1, \"x\", null, true] }", "a = { b = [1, \"x\", null, true] }", "", nil,
		},
		"the order of keys, comments and spelling do not matter": {
			"b = 2.0 # two\na = { \"c\" = 1, d : 2 }", "a = { d = (2), c = 1 }\nb = 2", "", nil,
		},
		"an allowed value may differ": {
			"name = \"staging\"", "name = \"prod\"", "allow \"name\" " + reason, nil,
		},
		"a value that is not allowed may not": {
			"a = 1\nzones = [\"a\", \"b\"]", "a = 1\nzones = [\"a\", \"c\"]", "",
			[]string{`staging.tfvars:2: zones.1 is "b" here, and at prod.tfvars:2 it is "c": make it the same, or allow it in mirror.hcl`},
		},
		"a star is any key": {
			"regions = { east = { tier = 1 }, west = { tier = 1 } }", "regions = { east = { tier = 2 }, west = { tier = 3 } }",
			"allow \"regions.*.tier\" " + reason, nil,
		},
		"a star is one key, and what is beneath a rule is allowed with it": {
			"a = { b = { c = 1 } }", "a = { b = { c = 2, d = 3 } }", "allow \"a.*\" " + reason, nil,
		},
		"a rule for something else allows nothing": {
			"regions = { east = { tier = 1 }, west = { tier = 1 } }", "regions = { east = { tier = 2 }, west = { tier = 2 } }",
			"allow \"regions.east.tier\" " + reason,
			[]string{"staging.tfvars:1: regions.west.tier is 1 here, and at prod.tfvars:1 it is 2: make it the same, or allow it in mirror.hcl"},
		},
		"a region more is a difference": {
			"regions = {\n  east = {}\n  west = {}\n}", "regions = {\n  east = {}\n}", "",
			[]string{"staging.tfvars:3: regions.west is {} here, and prod.tfvars has nothing of the kind: write it in prod.tfvars too, or in neither"},
		},
		"a key that is missing is a difference": {
			"a = {}", "a = { b = 1 }\nc = [1]", "",
			[]string{
				"prod.tfvars:1: a.b is 1 here, and staging.tfvars has nothing of the kind: write it in staging.tfvars too, or in neither",
				"prod.tfvars:2: c is a list of 1 here, and staging.tfvars has nothing of the kind: write it in staging.tfvars too, or in neither",
			},
		},
		"what may differ may not be missing": {
			"a = {}", "a = { size = 1 }", "allow \"a.size\" " + reason,
			[]string{"prod.tfvars:1: a.size is 1 here, and staging.tfvars has nothing of the kind: write it in staging.tfvars too; mirror.hcl lets it be another there, not be missing"},
		},
		"a list has as many elements": {
			"domains = [\"s\"]", "domains = [\"p\", \"api.p\"]", "allow \"domains.*\" " + reason,
			[]string{`prod.tfvars:1: domains.1 is "api.p" here, and staging.tfvars has nothing of the kind: write it in staging.tfvars too; mirror.hcl lets it be another there, not be missing`},
		},
		"null is not the same as nothing, nor a string as a number": {
			"a = null\nb = \"1\"\nc = []", "b = 1\nc = {}", "",
			[]string{
				`staging.tfvars:2: b is "1" here, and at prod.tfvars:1 it is 1: make it the same, or allow it in mirror.hcl`,
				"staging.tfvars:3: c is [] here, and at prod.tfvars:2 it is {}: make it the same, or allow it in mirror.hcl",
				"staging.tfvars:1: a is null here, and prod.tfvars has nothing of the kind: write it in prod.tfvars too, or in neither",
			},
		},
		"renamed keys are compared in their order": {
			"users = { \"me@staging\" = { admin = true }, you = {} }", "users = { \"me@prod\" = { admin = false }, you = {} }",
			"allow \"users.*\" {\n  reason  = \"They have the project in their name.\"\n  renamed = true\n}\n",
			[]string{`staging.tfvars:1: users."me@staging".admin is true here, and at prod.tfvars:1 it is false: make it the same, or allow it in mirror.hcl`},
		},
		"renamed keys are as many": {
			"users = { a = {}, b = {} }", "users = { c = {} }",
			"allow \"users.*\" {\n  reason  = \"They have the project in their name.\"\n  renamed = true\n}\n",
			[]string{"staging.tfvars:1: users.b is {} here, and prod.tfvars has nothing of the kind: write it in prod.tfvars too, or in neither"},
		},
		"a rule that matches nothing is an error": {
			"a = 1", "a = 1", "\nallow \"b.*\" " + reason,
			[]string{`mirror.hcl:2: allow "b.*" matches nothing: correct the path, or remove the rule`},
		},
		"a rule that matches what is equal today is none": {
			"a = 1", "a = 1", "allow \"a\" " + reason, nil,
		},
		"a region listed twice is refused, in either spelling": {
			"regions = {\n  east = {}\n  \"east\" = { tier = 1 }\n}", "regions = { east = { tier = 1 } }", "",
			[]string{"staging.tfvars:3: regions.east is there already, at line 2: a key given twice counts as its last; write it once"},
		},
		"a key given twice is refused wherever it is": {
			"a = [{ b = ({ c = 1, c = 1 }) }]", "a = []", "",
			[]string{"staging.tfvars:1: a.0.b.c is there already, at line 1: a key given twice counts as its last; write it once"},
		},
		"a variable given twice is refused": {
			"a = 1\na = 2", "a = 1", "",
			[]string{`staging.tfvars:2: Attribute redefined: The argument "a" was already set at staging.tfvars:1,1-2. Each argument may be set only once.`},
		},
		"only literals are taken": {
			"a = b\nb = upper(\"x\")\nc = \"${d}\"\ne = { (f) = 1 }\ng = true ? { a = 1, a = 2 } : {}", "a = -1", "",
			[]string{
				"staging.tfvars:1: a is not a literal: a tfvars file refers to nothing and calls nothing",
				"staging.tfvars:2: b is not a literal: a tfvars file refers to nothing and calls nothing",
				"staging.tfvars:3: c is not a literal: a tfvars file refers to nothing and calls nothing",
				"staging.tfvars:4: a key of e is not a literal: write a word, or a string in quotes",
				"staging.tfvars:5: g is not a literal: a tfvars file refers to nothing and calls nothing",
			},
		},
		"blocks are refused": {
			"regions {\n}", "", "", []string{"staging.tfvars:1: a tfvars file has no blocks: write regions = …"},
		},
		"a rule has a path and a reason": {
			"", "", "allow \"a\" {}\nallow \"b..c\" " + reason + "allow \"d\" {\n  reason = \"x\"\n  because = 1\n}\nallow {}\ne = 1\n",
			[]string{
				`mirror.hcl:10: e: write rules only, as allow "PATH" { reason = "…" }`,
				`mirror.hcl:1: allow "a" has no reason: write why the environments may differ there`,
				`mirror.hcl:2: allow "b..c" is no path at ".c": write keys and * joined by dots, and what is no plain word in quotes`,
				`mirror.hcl:5: allow "d": because: a rule has reason, a string, and may have renamed, a bool`,
				`mirror.hcl:9: not a rule: write allow "PATH" { reason = "…" }`,
			},
		},
		"a rule is there once, and only keys are renamed": {
			"", "", "allow \"a\" " + reason + "allow \"\\\"a\\\"\" " + reason + "allow \"b\" {\n  reason  = \"x\"\n  renamed = true\n}\n",
			[]string{`mirror.hcl:4: allow "a" is there already: write it once`, `mirror.hcl:7: allow "b": renamed is for keys: end the path with .*`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cli := commandLine{Rules: filepath.Join(dir, "mirror.hcl"), Mirror: filepath.Join(dir, "staging.tfvars"), Of: filepath.Join(dir, "prod.tfvars")}
			for path, content := range map[string]string{cli.Rules: test.rules, cli.Mirror: test.staging, cli.Of: test.prod} {
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			}
			var stdout bytes.Buffer
			err := cli.run(&stdout)
			if test.want == nil {
				require.NoError(t, err)
				require.Contains(t, stdout.String(), "mirrors")
				return
			}
			require.Error(t, err)
			require.Equal(t, test.want, strings.Split(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""), "\n"))
			require.Empty(t, stdout.String())
		})
	}
}

func TestTheFilesAreThereAndAllProblemsAreSaidAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	twice := filepath.Join(dir, "dev.tfvars")
	require.NoError(t, os.WriteFile(twice, []byte("a = { b = 1, b = 2 }"), 0o600))
	err := commandLine{Rules: "mirror.hcl", Mirror: twice, Of: filepath.Join(dir, "prod.tfvars"), Read: []string{twice}}.run(new(bytes.Buffer))
	require.ErrorContains(t, err, "open mirror.hcl")
	require.ErrorContains(t, err, "prod.tfvars: no such file")
	require.Equal(t, 2, strings.Count(err.Error(), "a.b is there already"))
}

func FuzzVariables(f *testing.F) {
	for _, seed := range []string{"a = { b = [1, -2.5, \"x\", null, true], \"c d\" = {} }", "a = 1\na = 2", "a = { 1 = 1, \"1\" = 2 }", "a = <<-E\n  x\nE\n", "x {}", "a = \"${b}\"", "a = {(null) = 1}", "a = 1e99999"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		parsed, err := parseVariables(content, "x.tfvars")
		if err != nil {
			return
		}
		if different := compare(parsed, parsed, nil, nil); len(different) > 0 {
			t.Fatalf("it differs from itself: %s", different[0].say("x.tfvars", "x.tfvars", "mirror.hcl"))
		}
		var look func(v value, where path)
		look = func(v value, where path) {
			if where != nil {
				p, err := parsePattern(where.String())
				if err != nil {
					t.Fatalf("%q cannot be written in a rule: %v", where, err)
				}
				if !parsed.has(p) || p.String() != where.String() {
					t.Fatalf("%s, read as a rule, is %s", where, p)
				}
			}
			for _, key := range v.keys {
				look(v.beneath[key], beneath(where, key))
			}
		}
		look(parsed, nil)
	})
}

func FuzzRules(f *testing.F) {
	for _, seed := range []string{"a.*.b", `a."b.c"`, `"*".*`, "a..b", `"`, ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		again, err := parsePattern(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q is written as %q, which reads as %q: %v", text, p, again, err)
		}
	})
}
