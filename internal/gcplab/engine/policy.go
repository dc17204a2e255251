package engine

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// getPolicy and setPolicy are https://cloud.google.com/iam/docs/reference/rest/v1/Policy: read, change, write back with the
// etag that was read.
func (c *Call) getPolicy() (any, error) {
	entry, err := c.policyTarget()
	if err != nil {
		return nil, err
	}
	return policy(entry), nil
}

func (c *Call) setPolicy() (any, error) {
	entry, err := c.policyTarget()
	if err != nil {
		return nil, err
	}
	wanted := Sub(c.Body, "policy")
	if len(wanted) == 0 {
		wanted = c.Body
	}
	if etag := Text(wanted, "etag"); etag != "" && etag != policy(entry)["etag"] {
		return nil, &Error{Code: http.StatusConflict, Status: "ABORTED",
			Message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."}
	}
	for _, binding := range Objects(wanted, "bindings") {
		for _, member := range List(binding, "members") {
			if text, _ := member.(string); !validMember(text) {
				return nil, &Error{Code: http.StatusBadRequest, Message: "Invalid member: " + text + ". The member must be prefixed with its type, for example \"serviceAccount:\"."}
			}
		}
		if role := Text(binding, "role"); !strings.HasPrefix(role, "roles/") && !strings.Contains(role, "/roles/") {
			return nil, &Error{Code: http.StatusBadRequest, Message: "Role " + role + " is not supported for this resource."}
		}
	}
	stored := Clone(wanted)
	delete(stored, "etag")
	if stored["version"] == nil {
		stored["version"] = 1
	}
	if c.Cloud.objects[entry.Name] == nil {
		entry = c.Cloud.Put(entry.Name, entry.Collection, entry.Data)
	}
	entry.Policy = stored
	return policy(entry), nil
}

func validMember(member string) bool {
	if member == "allUsers" || member == "allAuthenticatedUsers" {
		return true
	}
	kind, rest, ok := strings.Cut(member, ":")
	return ok && rest != "" && slices.Contains([]string{"user", "group", "serviceAccount", "domain", "principal", "principalSet", "projectOwner", "projectEditor", "projectViewer", "deleted"}, kind)
}

func (c *Call) policyTarget() (*Entry, error) {
	target := c.normal()
	for _, verb := range []string{"getIamPolicy", "setIamPolicy", "iam"} {
		if target.Path[len(target.Path)-1] == verb {
			target = target.Up(1)
			break
		}
	}
	if len(target.Path) == 2 && target.Path[0] == "projects" {
		// A project is always there, and its policy with it.
		if entry := c.Cloud.objects[target.FullName()]; entry != nil {
			return entry, nil
		}
		return &Entry{Name: target.FullName(), Data: Object{}}, nil
	}
	return target.Target()
}

func policy(entry *Entry) Object {
	current := entry.Policy
	if current == nil {
		current = Object{"version": 1}
	}
	raw, err := json.Marshal(current)
	if err != nil {
		raw = nil
	}
	sum := sha256.Sum256(raw)
	result := Clone(current)
	result["etag"] = base64.StdEncoding.EncodeToString(sum[:8])
	return result
}
