package registry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The header that Terraform, unlike OpenTofu, insists on for a module.
const getHeader = "X-Terraform-Get"

// Files that tell a static host of the header, for each place that a module is downloaded from.
const (
	headersFile = "_headers"                 // read by Cloudflare Pages, Netlify and others
	nginxFile   = "nginx-terraform-get.conf" // for an include in nginx's http block
)

const nginxIntroduction = `# Include this in the http block, and set in the server block: add_header X-Terraform-Get $terraform_get;
map_hash_bucket_size 256;
map $uri $terraform_get {
`

func (t Tree) writeHeaders() error {
	locations, err := t.moduleDownloads()
	if err != nil {
		return err
	}
	var headers, nginx strings.Builder
	nginx.WriteString(nginxIntroduction)
	for _, path := range slices.Sorted(maps.Keys(locations)) {
		fmt.Fprintf(&headers, "%s\n  %s: %s\n", path, getHeader, locations[path])
		fmt.Fprintf(&nginx, "  %s \"%s\";\n", path, locations[path])
	}
	nginx.WriteString("}\n")
	if err := t.replace(headersFile, []byte(headers.String())); err != nil {
		return err
	}
	return t.replace(nginxFile, []byte(nginx.String()))
}
