package registry

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/stretchr/testify/require"
)

const (
	googleModule  = "terraform {\n  required_providers {\n    google = { source = \"hashicorp/google\" }\n    random = { source = \"hashicorp/random\" }\n  }\n}\n"
	synapseModule = "terraform {\n  required_providers {\n    synapse = { source = \"apex-innovations/synapse\" }\n  }\n}\n"
)

func TestModulesOfAVersionShareOneArchiveAndKnowTheirSystem(t *testing.T) {
	t.Parallel()
	tree := newTree(t)
	addresses, err := tree.PublishModules(Modules{Dir: modules(t, map[string]string{
		"network/versions.tf": googleModule, "service/versions.tf": synapseModule, "plain/main.tf": "", "docs/README.md": "no module",
	}), Version: "1.0.0"}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"apex-innovations/network/google", "apex-innovations/plain/google", "apex-innovations/service/synapse"}, addresses)
	archived := read(t, tree, "archives/apex-innovations/modules_1.0.0.zip")
	require.JSONEq(t, `{"location": "/archives/apex-innovations/modules_1.0.0.zip//network?checksum=sha256:`+sumOf(archived)+`"}`,
		string(read(t, tree, "v1/modules/apex-innovations/network/google/1.0.0/download")))
	require.JSONEq(t, `{"modules": [{"source": "apex-innovations/network/google", "versions": [{"version": "1.0.0"}]}]}`,
		string(read(t, tree, "v1/modules/apex-innovations/network/google/versions")))
	require.JSONEq(t, `{"modules.v1": "/v1/modules/", "providers.v1": "/v1/providers/"}`, string(read(t, tree, ".well-known/terraform.json")))
	require.Equal(t, sumOf(archived)+"  modules_1.0.0.zip\n", string(read(t, tree, "archives/apex-innovations/modules_1.0.0_SHA256SUMS")))
}

func TestModulesCanRequireTheProviderFromTheRegistryTheyAreIn(t *testing.T) {
	t.Parallel()
	tree := newTree(t)
	_, err := tree.PublishModules(Modules{
		Dir:     modules(t, map[string]string{"network/versions.tf": googleModule, "service/versions.tf": synapseModule, "service/main.tf": "module \"network\" {\n  source = \"../network\"\n}\n"}),
		Version: "1.0.0", ProviderHost: "registry.example.com",
	}, nil)
	require.NoError(t, err)
	archived := string(read(t, tree, "archives/apex-innovations/modules_1.0.0.zip"))
	require.Contains(t, archived, strings.ReplaceAll(synapseModule, "apex-innovations/", "registry.example.com/apex-innovations/"))
	require.Contains(t, archived, googleModule, "another's provider stays where it is")
	require.Contains(t, archived, `"../network"`)
}

func TestAnotherVersionKeepsTheEarlierOnes(t *testing.T) {
	t.Parallel()
	tree := newTree(t)
	first := modules(t, map[string]string{"network/main.tf": "# 1", "dropped/main.tf": ""})
	second := modules(t, map[string]string{"network/main.tf": "# 2"})
	for version, dir := range map[string]string{"1.0.0": first, "1.10.0": second, "1.9.0": second, "1.10.0-rc.1": second} {
		_, err := tree.PublishModules(Modules{Dir: dir, Version: version}, nil)
		require.NoError(t, err)
	}
	var network, dropped moduleVersions
	require.NoError(t, json.Unmarshal(read(t, tree, "v1/modules/apex-innovations/network/google/versions"), &network))
	require.Equal(t, []moduleVersion{{"1.0.0"}, {"1.9.0"}, {"1.10.0-rc.1"}, {"1.10.0"}}, network.Modules[0].Versions)
	require.NoError(t, json.Unmarshal(read(t, tree, "v1/modules/apex-innovations/dropped/google/versions"), &dropped))
	require.Equal(t, []moduleVersion{{"1.0.0"}}, dropped.Modules[0].Versions)
}

func TestAPublishedVersionNeverChanges(t *testing.T) {
	t.Parallel()
	tree := newTree(t)
	key := newKey(t)
	_, err := tree.PublishModules(Modules{Dir: modules(t, map[string]string{"network/main.tf": "# 1"}), Version: "1.0.0"}, key)
	require.NoError(t, err)
	before := snapshot(t, tree)
	_, err = tree.PublishModules(Modules{Dir: modules(t, map[string]string{"network/main.tf": "# 1"}), Version: "1.0.0"}, key)
	require.NoError(t, err, "the same again is nothing new")
	require.Equal(t, before, snapshot(t, tree), "not even the signature")

	_, err = tree.PublishModules(Modules{Dir: modules(t, map[string]string{"network/main.tf": "# 2"}), Version: "1.0.0"}, key)
	require.ErrorIs(t, err, ErrPublished)
	_, err = tree.PublishModules(Modules{Dir: modules(t, map[string]string{"network/main.tf": "# 1", "another/main.tf": ""}), Version: "1.0.0"}, key)
	require.ErrorIs(t, err, ErrPublished, "a module more is another version, too")
	require.NoError(t, tree.PublishProvider(provider("1.0.0", "program"), key))
	before = snapshot(t, tree)
	require.NoError(t, tree.PublishProvider(provider("1.0.0", "program"), key))
	require.ErrorIs(t, tree.PublishProvider(provider("1.0.0", "another"), key), ErrPublished)
	more := provider("1.0.0", "program")
	more.Packages[Platform{"darwin", "arm64"}] = []byte("more")
	require.ErrorIs(t, tree.PublishProvider(more, key), ErrPublished)
	require.ErrorContains(t, tree.PublishProvider(provider("1.0.0", "program"), newKey(t)), "not made with this key")
	require.Equal(t, before, snapshot(t, tree))
}

func TestTheArchiveHasNothingThatIsNotForOthers(t *testing.T) {
	t.Parallel()
	tree := newTree(t)
	_, err := tree.PublishModules(Modules{Dir: modules(t, map[string]string{
		"network/main.tf": "", "network/README.md": "", "network/templates/rules.yaml.tftpl": "", "network/examples/two/main.tf": "",
		"network/tests/network.tftest.hcl": "", "network/.terraform/modules/modules.json": "{}", "network/.terraform.lock.hcl": "",
		"network/terraform.tfstate": "", "network/terraform.tfstate.backup": "", "network/secret.tfvars": "", "network/secret.auto.tfvars.json": "", "network/a.tfplan": "",
	}), Version: "1.0.0"}, nil)
	require.NoError(t, err)
	archived := read(t, tree, "archives/apex-innovations/modules_1.0.0.zip")
	reader, err := zip.NewReader(bytes.NewReader(archived), int64(len(archived)))
	require.NoError(t, err)
	var names []string
	for _, file := range reader.File {
		names = append(names, file.Name)
	}
	require.Equal(t, []string{"network/README.md", "network/examples/two/main.tf", "network/main.tf", "network/templates/rules.yaml.tftpl"}, names)
}

func TestSignaturesAreGoodForWhoeverHasThePublicKey(t *testing.T) {
	t.Parallel()
	tree := newTree(t)
	require.NoError(t, tree.PublishProvider(provider("1.2.3", "program"), newKey(t)))
	const place = "v1/providers/apex-innovations/synapse/1.2.3/"
	var download providerDownload
	require.NoError(t, json.Unmarshal(read(t, tree, place+"download/linux/amd64"), &download))
	require.Equal(t, "/"+place+"terraform-provider-synapse_1.2.3_linux_amd64.zip", download.DownloadURL)
	require.Equal(t, sumOf([]byte("program")), download.Sum)
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader([]byte(download.SigningKeys.GPG[0].Armor)))
	require.NoError(t, err)
	require.Nil(t, ring[0].PrivateKey)
	sums := read(t, tree, download.SumsURL)
	signer, err := openpgp.CheckDetachedSignature(ring, bytes.NewReader(sums), bytes.NewReader(read(t, tree, download.SignatureURL)), nil)
	require.NoError(t, err)
	require.Equal(t, download.SigningKeys.GPG[0].ID, signer.PrimaryKey.KeyIdString())
	require.Contains(t, string(sums), "terraform-provider-synapse_1.2.3_manifest.json\n")
	require.JSONEq(t, `{"versions": [{"version": "1.2.3", "protocols": ["6.0"], "platforms": [{"os": "linux", "arch": "amd64"}]}]}`,
		string(read(t, tree, "v1/providers/apex-innovations/synapse/versions")))
}

func TestHostsAreToldOfTheHeaderForEachModule(t *testing.T) {
	t.Parallel()
	tree := newTree(t)
	for _, version := range []string{"1.0.0", "1.1.0"} {
		_, err := tree.PublishModules(Modules{Dir: modules(t, map[string]string{"network/main.tf": ""}), Version: version}, nil)
		require.NoError(t, err)
	}
	const path = "/v1/modules/apex-innovations/network/google/1.1.0/download"
	locations, err := tree.moduleDownloads()
	require.NoError(t, err)
	require.Len(t, locations, 2)
	require.Contains(t, string(read(t, tree, headersFile)), path+"\n  X-Terraform-Get: "+locations[path]+"\n")
	require.Contains(t, string(read(t, tree, nginxFile)), "  "+path+` "`+locations[path]+"\";\n")

	recorder := httptest.NewRecorder()
	tree.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, recorder.Code)
	require.Equal(t, locations[path], recorder.Header().Get(getHeader))
	recorder = httptest.NewRecorder()
	tree.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/v1/modules/apex-innovations/network/google/9.0.0/download", nil))
	require.Equal(t, http.StatusNotFound, recorder.Code)
	require.Empty(t, recorder.Header().Get(getHeader))
}

func TestWhatCannotBePublishedSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, badPlatform := ParsePlatform("linux")
	good := modules(t, map[string]string{"network/main.tf": ""})
	linked := modules(t, map[string]string{"network/main.tf": ""})
	require.NoError(t, os.Symlink("main.tf", filepath.Join(linked, "network", "link.tf")))
	key := newKey(t)
	publish := func(namespace, dir, version string) error {
		_, err := Tree{Root: t.TempDir(), Namespace: namespace}.PublishModules(Modules{Dir: dir, Version: version}, nil)
		return err
	}
	tests := map[string]struct {
		err  error
		want string
	}{
		"a version with a v":            {publish("apex", good, "v1.0.0"), `"v1.0.0" is no version: write it as 1.2.3`},
		"a version that is too short":   {publish("apex", good, "1.0"), `"1.0" is no version`},
		"a namespace with a slash":      {publish("apex/x", good, "1.0.0"), `"apex/x" is no namespace`},
		"a directory without modules":   {publish("apex", t.TempDir(), "1.0.0"), "has no modules"},
		"a directory that is not there": {publish("apex", filepath.Join(good, "none"), "1.0.0"), "reading"},
		"a module with a bad name":      {publish("apex", modules(t, map[string]string{"net work/main.tf": ""}), "1.0.0"), `"net work" is no name of a module`},
		"a module that is no HCL":       {publish("apex", modules(t, map[string]string{"network/main.tf": "{"}), "1.0.0"), "network/main.tf"},
		"a symbolic link":               {publish("apex", linked, "1.0.0"), "link.tf is neither a file nor a directory"},
		"a provider without a key":      {newTree(t).PublishProvider(provider("1.0.0", "program"), nil), "must be signed"},
		"a provider without packages":   {newTree(t).PublishProvider(Provider{Type: "synapse", Version: "1.0.0"}, key), "no package"},
		"a manifest without protocols": {newTree(t).PublishProvider(Provider{Type: "synapse", Version: "1.0.0", Manifest: []byte("{}"),
			Packages: map[Platform][]byte{{"linux", "amd64"}: nil}}, key), "names no protocol_versions"},
		"a directory without zips": {(&Provider{Type: "synapse", Version: "1.0.0"}).ReadPackages(t.TempDir()), "has no terraform-provider-synapse_1.0.0_OS_ARCH.zip"},
		"a platform without a _":   {badPlatform, "write it as linux_amd64"},
	}
	for name, test := range tests {
		require.ErrorContains(t, test.err, test.want, name)
	}
}

func TestKeysThatCannotSignAreRefused(t *testing.T) {
	t.Parallel()
	public, err := newKey(t).public()
	require.NoError(t, err)
	_, err = ReadKey(public, "")
	require.ErrorContains(t, err, "it is a public key")
	_, err = ReadKey("no key", "")
	require.ErrorContains(t, err, "reading the key")

	entity := newKey(t).entity
	require.NoError(t, entity.EncryptPrivateKeys([]byte("correct horse"), nil))
	private, err := armored(openpgp.PrivateKeyType, func(w io.Writer) error { return entity.SerializePrivateWithoutSigning(w, nil) })
	require.NoError(t, err)
	_, err = ReadKey(private, "wrong")
	require.ErrorContains(t, err, "passphrase")
	key, err := ReadKey(private, "correct horse")
	require.NoError(t, err)
	signature, err := key.sign([]byte("document"))
	require.NoError(t, err)
	require.NoError(t, key.verify([]byte("document"), signature))
	require.Error(t, key.verify([]byte("forged"), signature))
}

func TestZipsOfAReleaseBuildAreFoundByPlatform(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{
		"terraform-provider-synapse_1.0.0_linux_amd64.zip", "terraform-provider-synapse_1.0.0_darwin_arm64.zip",
		"terraform-provider-synapse_1.0.1_linux_amd64.zip", "synapsed_1.0.0_linux_amd64.tar.gz",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	p := Provider{Type: "synapse", Version: "1.0.0"}
	require.NoError(t, p.ReadPackages(dir))
	require.Equal(t, []Platform{{"darwin", "arm64"}, {"linux", "amd64"}}, p.platforms())
}

func newTree(t *testing.T) Tree {
	t.Helper()
	return Tree{Root: filepath.Join(t.TempDir(), "tree"), Namespace: "apex-innovations"}
}

func newKey(t *testing.T) *Key {
	t.Helper()
	text, err := GenerateKey("Test", "test@example.com")
	require.NoError(t, err)
	key, err := ReadKey(text, "")
	require.NoError(t, err)
	return key
}

func provider(version, program string) Provider {
	return Provider{
		Type: "synapse", Version: version, Manifest: []byte(`{"version": 1, "metadata": {"protocol_versions": ["6.0"]}}`),
		Packages: map[Platform][]byte{{"linux", "amd64"}: []byte(program)},
	}
}

// modules makes a directory with files by path.
func modules(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range files {
		path = filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return dir
}

func read(t *testing.T, tree Tree, path string) []byte {
	t.Helper()
	content, err := tree.read(path)
	require.NoError(t, err)
	require.NotNil(t, content, "%s is there", path)
	return content
}

// snapshot returns the content of all files by path.
func snapshot(t *testing.T, tree Tree) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(tree.Root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = string(content)
		return err
	}))
	return files
}

func TestTheProviderIsBuiltForEachPlatformAndTheSameEachTime(t *testing.T) {
	t.Parallel()
	sources := modules(t, map[string]string{
		"go.mod": "module example.com/provider\n\ngo 1.26\n", "main.go": "package main\n\nvar version string\n\nfunc main() { println(version) }\n",
	})
	build := func() Provider {
		p := Provider{Type: "synapse", Version: "1.0.0"}
		require.NoError(t, p.BuildPackages(t.Context(), sources, []Platform{{"linux", "amd64"}, {"windows", "amd64"}}))
		return p
	}
	p := build()
	require.Equal(t, p, build())
	for platform, want := range map[Platform]string{{"linux", "amd64"}: "terraform-provider-synapse_v1.0.0", {"windows", "amd64"}: "terraform-provider-synapse_v1.0.0.exe"} {
		reader, err := zip.NewReader(bytes.NewReader(p.Packages[platform]), int64(len(p.Packages[platform])))
		require.NoError(t, err)
		require.Len(t, reader.File, 1)
		require.Equal(t, want, reader.File[0].Name)
		require.Equal(t, os.FileMode(0o755), reader.File[0].Mode())
	}
	require.ErrorContains(t, p.BuildPackages(t.Context(), t.TempDir(), []Platform{{"linux", "amd64"}}), "building the provider for linux_amd64")
}
