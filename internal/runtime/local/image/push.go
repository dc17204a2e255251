package image

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// PushOptions are what else belongs to a pushed image.
type PushOptions struct {
	Auth authn.Authenticator // nil: the Docker configuration of the user
	Env  []string            // NAME=value, in the image
	Args []string            // after the entrypoint
}

// PushBinary makes an image of one static Linux binary, pushes it to a reference with a tag, and returns its digest. The
// same binary and options give the same digest.
func PushBinary(ctx context.Context, path, ref string, options PushOptions) (digest string, err error) {
	tag, err := name.NewTag(ref)
	if err != nil {
		return "", permanent(ReasonInvalid, "%q is not a name to push to, such as registry.example.com/name:tag: %s", ref, err)
	}
	image, err := fromBinary(path, options)
	if err != nil {
		return "", err
	}
	hash, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("making an image of %s: %w", path, err)
	}
	remoteOptions := remoteOptions(ctx, authOption(options.Auth, authn.DefaultKeychain))
	if err := remote.Write(tag, image, remoteOptions...); err != nil {
		return "", fmt.Errorf("pushing %s to %s: %w", path, ref, err)
	}
	return hash.String(), nil
}

func fromBinary(path string, options PushOptions) (v1.Image, error) {
	architecture, err := staticBinary(path)
	if err != nil {
		return nil, err
	}
	program := filepath.Base(path)
	archive, err := archiveOf(path, program)
	if err != nil {
		return nil, fmt.Errorf("making an image of %s: %w", path, err)
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil },
		tarball.WithMediaType(types.OCILayer),
	)
	if err != nil {
		return nil, fmt.Errorf("making an image of %s: %w", path, err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.ConfigFile(image, &v1.ConfigFile{
		OS: "linux", Architecture: architecture, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Entrypoint: []string{"/" + program}, Cmd: options.Args, Env: options.Env},
	})
	if err == nil {
		image, err = mutate.AppendLayers(image, layer)
	}
	if err != nil {
		return nil, fmt.Errorf("making an image of %s: %w", path, err)
	}
	return image, nil
}

// staticBinary checks that a file is a program that needs nothing beside the kernel, and tells for which architecture.
func staticBinary(path string) (architecture string, err error) {
	const advice = "build it with CGO_ENABLED=0 GOOS=linux go build"
	file, err := elf.Open(path)
	if _, isFormat := errors.AsType[*elf.FormatError](err); isFormat || errors.Is(err, io.EOF) {
		return "", fmt.Errorf("%s is not a Linux program: %s", path, advice)
	} else if err != nil {
		return "", fmt.Errorf("reading the program to push: %w", err)
	}
	defer file.Close()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is linked dynamically, and an image has no libraries: %s", path, advice)
		}
	}
	if file.Type != elf.ET_EXEC && file.Type != elf.ET_DYN { // the latter is also a static program at no fixed address
		return "", fmt.Errorf("%s is not a program but an ELF file of type %s: %s", path, file.Type, advice)
	}
	switch file.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	default:
		return "", fmt.Errorf("%s is for %s machines: %s for amd64 or arm64", path, file.Machine, advice)
	}
}

// archiveOf puts a file into an archive that tells nothing but its content.
func archiveOf(path, program string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: program, Mode: 0o755, Size: int64(len(content)), Format: tar.FormatPAX}
	if err := writer.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := writer.Write(content); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
