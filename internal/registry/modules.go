package registry

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// defaultSystem is the target system of a module that requires the google provider, or none at all.
const defaultSystem = "google"

// moduleVersions is the answer to which versions of a module there are.
type moduleVersions struct {
	Modules []moduleVersionList `json:"modules"`
}

type moduleVersionList struct {
	Source   string          `json:"source"`
	Versions []moduleVersion `json:"versions"`
}

type moduleVersion struct {
	Version string `json:"version"`
}

// moduleDownload is the answer to where a version of a module is. OpenTofu reads it; Terraform reads the header
// X-Terraform-Get, which has the same in it.
type moduleDownload struct {
	Location string `json:"location"`
}

// Modules is a version of all modules to be published.
type Modules struct {
	// Dir is the directory whose directories are the modules, and Version their version.
	Dir, Version string
	// ProviderHost is the registry that has the provider of the same namespace, or empty if that is Terraform's own. The address
	// of a provider is part of each module that requires it, and nobody who uses the module can say otherwise.
	ProviderHost string
}

// PublishModules publishes each directory that has configuration files as a module, and returns their addresses.
//
// All modules of a version share one archive, and each is a directory in it: so a module may refer to its siblings by
// relative path, they are always of the same version, and Terraform downloads them once.
func (t Tree) PublishModules(modules Modules, key *Key) ([]string, error) {
	version := modules.Version
	if err := t.check(version); err != nil {
		return nil, err
	}
	members, err := collect(os.DirFS(modules.Dir))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", modules.Dir, err)
	}
	if modules.ProviderHost != "" {
		t.moveProviders(members, modules.ProviderHost)
	}
	systems, err := systemsOf(members)
	if err != nil {
		return nil, err
	}
	if len(systems) == 0 {
		return nil, fmt.Errorf("%s has no modules: no directory in it has *.tf files", modules.Dir)
	}
	// Not compressed: another version of Go would compress it to other bytes.
	archived, err := archive(members, zip.Store)
	if err != nil {
		return nil, err
	}
	name := "modules_" + version
	place := path.Join(archivesDir, t.Namespace)
	if err := t.add(path.Join(place, name+".zip"), archived); err != nil {
		return nil, err
	}
	if err := t.addSums(path.Join(place, name+"_SHA256SUMS"), sumsOf(map[string][]byte{name + ".zip": archived}), key); err != nil {
		return nil, err
	}
	var addresses []string
	for _, module := range slices.Sorted(maps.Keys(systems)) {
		address := path.Join(t.Namespace, module, systems[module])
		location := fmt.Sprintf("/%s/%s.zip//%s?checksum=sha256:%s", place, name, module, sumOf(archived))
		if err := t.addModule(address, version, location); err != nil {
			return nil, err
		}
		addresses = append(addresses, address)
	}
	return addresses, t.finish()
}

// moveProviders lets configuration files require the providers of the tree's namespace from a host.
func (t Tree) moveProviders(members map[string]member, host string) {
	address := regexp.MustCompile(`(source\s*=\s*")(` + regexp.QuoteMeta(t.Namespace) + `/[0-9A-Za-z_-]+")`)
	for name, file := range members {
		if path.Ext(name) == ".tf" {
			file.content = address.ReplaceAll(file.content, []byte("${1}"+host+"/${2}"))
			members[name] = file
		}
	}
}

// addModule makes a version of a module known.
func (t Tree) addModule(address, version, location string) error {
	download, err := encode(moduleDownload{Location: location})
	if err != nil {
		return err
	}
	if err := t.add(path.Join(modulesDir, address, version, downloadFile), download); err != nil {
		return err
	}
	index := path.Join(modulesDir, address, versionsFile)
	list := moduleVersions{Modules: []moduleVersionList{{Source: address}}}
	if err := t.readJSON(index, &list); err != nil {
		return err
	}
	if len(list.Modules) != 1 {
		return fmt.Errorf("%s lists %d modules instead of one", index, len(list.Modules))
	}
	versions := &list.Modules[0].Versions
	*versions = withVersion(*versions, moduleVersion{version}, func(v moduleVersion) string { return v.Version })
	return t.replaceJSON(index, list)
}

// systemsOf returns the target system of each module among the files: the last part of its address.
func systemsOf(members map[string]member) (map[string]string, error) {
	required := map[string][]string{}
	for name, file := range members {
		module, base := path.Split(name)
		module = strings.TrimSuffix(module, "/")
		if path.Ext(base) != ".tf" || module == "" || strings.Contains(module, "/") {
			continue
		}
		if !addressPart.MatchString(module) {
			return nil, fmt.Errorf("%q is no name of a module: use letters, digits, hyphens and underscores", module)
		}
		providers, err := requiredProviders(name, file.content)
		if err != nil {
			return nil, err
		}
		required[module] = append(required[module], providers...)
	}
	systems := map[string]string{}
	for module, providers := range required {
		systems[module] = defaultSystem
		if len(providers) > 0 && !slices.Contains(providers, defaultSystem) {
			systems[module] = slices.Min(providers)
		}
	}
	return systems, nil
}

// requiredProviders returns the names of the providers that a configuration file requires.
func requiredProviders(name string, content []byte) ([]string, error) {
	file, diagnostics := hclsyntax.ParseConfig(content, name, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return nil, errors.New("the parser of HCL gave something else than HCL")
	}
	var providers []string
	for _, terraform := range body.Blocks {
		if terraform.Type != "terraform" {
			continue
		}
		for _, block := range terraform.Body.Blocks {
			if block.Type == "required_providers" {
				providers = slices.AppendSeq(providers, maps.Keys(block.Body.Attributes))
			}
		}
	}
	return providers, nil
}

// moduleDownloads returns what the tree says of where modules are: locations by path.
func (t Tree) moduleDownloads() (map[string]string, error) {
	locations := map[string]string{}
	err := fs.WalkDir(os.DirFS(t.Root), modulesDir, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == modulesDir {
			return nil // only the provider was published
		}
		if err != nil || entry.IsDir() || entry.Name() != downloadFile {
			return err
		}
		var download moduleDownload
		err = t.readJSON(name, &download)
		locations["/"+name] = download.Location
		return err
	})
	return locations, err
}
