package image

import (
	"context"
	goruntime "runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// maxConfig bounds the size in bytes of an image's configuration, which is read into memory.
const maxConfig = 4 << 20

// Resolved is an image that a reference named when it was resolved.
type Resolved struct {
	// Reference is repository@digest. A reference that has a digest already stays as it was written.
	Reference string
	// Digest is that of what the reference names: an image, or an index of images for several platforms.
	Digest string
}

// Resolve looks up which image a reference names, and whether it can run here. An image that was unpacked already is not
// asked for. The error is a [runtime.PermanentError] when the reference or the image is at fault.
func (s *Store) Resolve(ctx context.Context, ref string) (Resolved, error) {
	parsed, err := parse(ref)
	if err != nil {
		return Resolved{}, err
	}
	if digest, ok := parsed.(name.Digest); ok {
		if _, err := s.load(digest.DigestStr()); err == nil {
			return Resolved{Reference: ref, Digest: digest.DigestStr()}, nil
		}
	}
	descriptor, err := remote.Get(parsed, s.options(ctx)...)
	if err != nil {
		return Resolved{}, fetching(ref, err)
	}
	if _, _, err := runnable(ref, descriptor); err != nil {
		return Resolved{}, err
	}
	digest := descriptor.Digest.String()
	if _, ok := parsed.(name.Digest); ok {
		return Resolved{Reference: ref, Digest: digest}, nil
	}
	return Resolved{Reference: parsed.Context().Name() + "@" + digest, Digest: digest}, nil
}

func parse(ref string) (name.Reference, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, permanent(ReasonInvalid, "%q is not an image reference, such as registry.example.com/name:tag: %s", ref, err)
	}
	return parsed, nil
}

// runnable picks the image for this machine and checks that it has a command.
func runnable(ref string, descriptor *remote.Descriptor) (v1.Image, *v1.ConfigFile, error) {
	image, err := forPlatform(ref, descriptor)
	if err != nil {
		return nil, nil, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, nil, fetching(ref, err)
	}
	if manifest.Config.Size > maxConfig {
		return nil, nil, permanent(ReasonInvalid, "the configuration of image %s is larger than %d bytes", ref, maxConfig)
	}
	if !manifest.Config.MediaType.IsConfig() {
		return nil, nil, permanent(ReasonInvalid, "%s is not an image that can run, but of type %q", ref, manifest.Config.MediaType)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, nil, fetching(ref, err)
	}
	if !fits(v1.Platform{OS: config.OS, Architecture: config.Architecture}) {
		return nil, nil, wrongPlatform(ref, config.OS+"/"+config.Architecture)
	}
	if len(config.Config.Entrypoint)+len(config.Config.Cmd) == 0 {
		return nil, nil, permanent(ReasonNoEntrypoint, "image %s has neither an entrypoint nor a command: set one when building it", ref)
	}
	return image, config, nil
}

func forPlatform(ref string, descriptor *remote.Descriptor) (v1.Image, error) {
	if !descriptor.MediaType.IsIndex() {
		image, err := descriptor.Image()
		if err != nil {
			return nil, permanent(ReasonInvalid, "%s is not an image: %s", ref, err)
		}
		return image, nil
	}
	index, err := descriptor.ImageIndex()
	if err != nil {
		return nil, permanent(ReasonInvalid, "%s is not an image index: %s", ref, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, permanent(ReasonInvalid, "the image index %s can not be read: %s", ref, err)
	}
	var offered []string
	for _, child := range manifest.Manifests {
		if !child.MediaType.IsImage() || child.Platform == nil {
			continue
		}
		if fits(*child.Platform) {
			image, err := index.Image(child.Digest)
			if err != nil {
				return nil, fetching(ref, err)
			}
			return image, nil
		}
		offered = append(offered, child.Platform.String())
	}
	return nil, wrongPlatform(ref, offered...)
}

// fits tells whether a platform is that of this machine. What an image leaves open fits.
func fits(platform v1.Platform) bool {
	return (platform.OS == "" || platform.OS == "linux") &&
		(platform.Architecture == "" || platform.Architecture == goruntime.GOARCH)
}

func wrongPlatform(ref string, offered ...string) error {
	return permanent(ReasonPlatform, "image %s is for %s, but this machine needs linux/%s: build it for that too",
		ref, strings.Join(offered, ", "), goruntime.GOARCH)
}
