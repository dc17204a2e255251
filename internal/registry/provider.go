package registry

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Platform is what a build of the provider runs on.
type Platform struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

// ParsePlatform reads a platform as os_arch.
func ParsePlatform(text string) (Platform, error) {
	system, arch, found := strings.Cut(text, "_")
	if !found || system == "" || arch == "" {
		return Platform{}, fmt.Errorf("%q is no platform: write it as linux_amd64", text)
	}
	return Platform{system, arch}, nil
}

func (p Platform) String() string { return p.OS + "_" + p.Arch }

// Provider is a version of a provider to be published.
type Provider struct {
	// Type is the last part of its address, and Version its version.
	Type, Version string
	// Manifest is the content of terraform-registry-manifest.json.
	Manifest []byte
	// Packages are the zips, each with the program in it.
	Packages map[Platform][]byte
}

type providerVersions struct {
	Versions []providerVersion `json:"versions"`
}

type providerVersion struct {
	Version   string     `json:"version"`
	Protocols []string   `json:"protocols"`
	Platforms []Platform `json:"platforms"`
}

// providerDownload is the answer to where the package for a platform is.
type providerDownload struct {
	Protocols []string `json:"protocols"`
	Platform
	Filename     string      `json:"filename"`
	DownloadURL  string      `json:"download_url"`
	Sum          string      `json:"shasum"`
	SumsURL      string      `json:"shasums_url"`
	SignatureURL string      `json:"shasums_signature_url"`
	SigningKeys  signingKeys `json:"signing_keys"`
}

type signingKeys struct {
	GPG []signingKey `json:"gpg_public_keys"`
}

type signingKey struct {
	ID    string `json:"key_id"`
	Armor string `json:"ascii_armor"`
}

// PublishProvider publishes a version of a provider. It must be signed: Terraform and OpenTofu take no other from a registry
// that is not their own.
func (t Tree) PublishProvider(provider Provider, key *Key) error {
	if err := t.check(provider.Version); err != nil {
		return err
	}
	if len(provider.Packages) == 0 {
		return errors.New("there is no package of the provider to publish")
	}
	if key == nil {
		return errors.New("a provider must be signed, or neither Terraform nor OpenTofu takes it: give a key")
	}
	protocols, err := protocolsOf(provider.Manifest)
	if err != nil {
		return err
	}
	address := path.Join(t.Namespace, provider.Type)
	place := path.Join(providersDir, address, provider.Version)
	files := map[string][]byte{provider.file("manifest.json"): provider.Manifest}
	for platform, content := range provider.Packages {
		files[provider.file(platform.String()+".zip")] = content
	}
	// The checksums come first. If they are the same as before, all the rest is.
	if err := t.addSums(path.Join(place, provider.file("SHA256SUMS")), sumsOf(files), key); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := t.add(path.Join(place, name), files[name]); err != nil {
			return err
		}
	}
	if err := t.addDownloads(place, provider, protocols, key); err != nil {
		return err
	}
	index := path.Join(providersDir, address, versionsFile)
	var list providerVersions
	if err := t.readJSON(index, &list); err != nil {
		return err
	}
	list.Versions = withVersion(list.Versions, providerVersion{provider.Version, protocols, provider.platforms()},
		func(v providerVersion) string { return v.Version })
	if err := t.replaceJSON(index, list); err != nil {
		return err
	}
	return t.finish()
}

// addDownloads says of each platform where its package is.
func (t Tree) addDownloads(place string, provider Provider, protocols []string, key *Key) error {
	public, err := key.public()
	if err != nil {
		return err
	}
	sums := "/" + path.Join(place, provider.file("SHA256SUMS"))
	for _, platform := range provider.platforms() {
		name := provider.file(platform.String() + ".zip")
		download, err := encode(providerDownload{
			Protocols: protocols, Platform: platform, Filename: name, DownloadURL: "/" + path.Join(place, name), Sum: sumOf(provider.Packages[platform]),
			SumsURL: sums, SignatureURL: sums + ".sig", SigningKeys: signingKeys{GPG: []signingKey{{ID: key.id(), Armor: public}}},
		})
		if err != nil {
			return err
		}
		if err := t.add(path.Join(place, downloadFile, platform.OS, platform.Arch), download); err != nil {
			return err
		}
	}
	return nil
}

// file names a file of the version.
func (p Provider) file(rest string) string {
	return "terraform-provider-" + p.Type + "_" + p.Version + "_" + rest
}

func (p Provider) platforms() []Platform {
	return slices.SortedFunc(maps.Keys(p.Packages), func(a, b Platform) int { return strings.Compare(a.String(), b.String()) })
}

// protocolsOf reads from the manifest which versions of the plugin protocol the provider speaks.
func protocolsOf(manifest []byte) ([]string, error) {
	var content struct {
		Metadata struct {
			Protocols []string `json:"protocol_versions"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(manifest, &content); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if len(content.Metadata.Protocols) == 0 {
		return nil, errors.New("the manifest names no protocol_versions")
	}
	return content.Metadata.Protocols, nil
}

// ReadPackages reads the zips of a version that a release build left in a directory.
func (p *Provider) ReadPackages(dir string) error {
	pattern := regexp.MustCompile("^" + regexp.QuoteMeta(p.file("")) + `([a-z0-9]+_[a-z0-9]+)\.zip$`)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	p.Packages = map[Platform][]byte{}
	for _, entry := range entries {
		match := pattern.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		platform, err := ParsePlatform(match[1])
		if err != nil {
			return err
		}
		if p.Packages[platform], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	if len(p.Packages) == 0 {
		return fmt.Errorf("%s has no %s", dir, p.file("OS_ARCH.zip"))
	}
	return nil
}

// BuildPackages builds the provider from its sources for some platforms.
func (p *Provider) BuildPackages(ctx context.Context, sources string, platforms []Platform) (err error) {
	dir, err := os.MkdirTemp("", "synapse-registry-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := "terraform-provider-" + p.Type + "_v" + p.Version
	p.Packages = map[Platform][]byte{}
	for _, platform := range platforms {
		name := program
		if platform.OS == "windows" {
			name += ".exe"
		}
		file := filepath.Join(dir, platform.String())
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X main.version="+p.Version, "-o", file, ".")
		build.Dir = sources
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+platform.OS, "GOARCH="+platform.Arch)
		if output, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building the provider for %s: %w\n%s", platform, err, output)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if p.Packages[platform], err = archive(map[string]member{name: {content, 0o755}}, zip.Deflate); err != nil {
			return err
		}
	}
	return nil
}
