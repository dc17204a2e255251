package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is one thing to build: the sample services come in versions, which only differ in what they say they are.
type program struct{ name, pkg, version string }

func (d Demo) programs() []program {
	return []program{
		{d.executable(), ".", ""},
		{"synapsed", "./cmd/synapsed", ""},
		{"monolith-v1", "./examples/services/monolith", "v1"},
		{"auth-v1", "./examples/services/auth", "v1"},
		{"auth-v2", "./examples/services/auth", "v2"},
	}
}

// build builds all programs and reports whether synapsed is another one than before. A program that did not change is
// left alone: processes may run it.
func (d Demo) build(ctx context.Context) (synapsedChanged bool, err error) {
	if err := os.MkdirAll(d.binDir(), 0o755); err != nil {
		return false, fmt.Errorf("making the directory for programs: %w", err)
	}
	for _, p := range d.programs() {
		changed, err := d.buildOne(ctx, p)
		if err != nil {
			return false, err
		}
		if p.name == "synapsed" {
			synapsedChanged = changed
		}
	}
	return synapsedChanged, nil
}

func (d Demo) buildOne(ctx context.Context, p program) (changed bool, err error) {
	final := filepath.Join(d.binDir(), p.name)
	fresh := final + ".new"
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", fresh}
	if p.version != "" {
		args = append(args, "-ldflags", "-X main.version="+p.version)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, p.pkg)...)
	cmd.Dir = d.Repository
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // images of static binaries need nothing else
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return false, fmt.Errorf("building %s: %w\n%s", p.pkg, err, strings.TrimSpace(output.String()))
	}
	same, err := sameContent(fresh, final)
	if err != nil {
		return false, err
	}
	if same {
		return false, os.Remove(fresh)
	}
	// Renaming leaves the file to processes that run it; writing into it would fail with "text file busy".
	return true, os.Rename(fresh, final)
}

func sameContent(a, b string) (bool, error) {
	contentA, err := os.ReadFile(a)
	if err != nil {
		return false, err
	}
	contentB, err := os.ReadFile(b)
	if os.IsNotExist(err) {
		return false, nil
	}
	return err == nil && bytes.Equal(contentA, contentB), err
}
