package gcplab

import (
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

const pools = "iam.projects.locations.workloadIdentityPools"

// newIAM is service accounts and workload identity federation: https://cloud.google.com/iam/docs/reference/rest.
func newIAM(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.Kinds["iam.projects.serviceAccounts"] = &engine.Kind{
		ID: func(c *engine.Call, _ Object) (string, error) {
			id := engine.Text(c.Body, "accountId")
			if len(id) < 6 || len(id) > 30 || !nameLike(id) {
				return "", engine.Errorf(http.StatusBadRequest, "", "Invalid service account id %q: it must be 6 to 30 lowercase letters, digits and hyphens, beginning with a letter.", id)
			}
			return id + "@" + c.Project().ID + ".iam.gserviceaccount.com", nil
		},
		Resource: func(body Object) Object {
			account := engine.Sub(body, "serviceAccount")
			if len(account) == 0 {
				account = Object{}
			}
			return account
		},
		Created: func(c *engine.Call, o Object) {
			o["email"], o["projectId"], o["oauth2ClientId"] = last(c.Name()), c.Project().ID, o["uniqueId"]
		},
	}
	service.Methods["iam.projects.serviceAccounts.patch"] = func(c *engine.Call) (any, error) {
		entry, err := c.Target()
		if err != nil {
			return nil, err
		}
		changed := engine.Clone(entry.Data)
		engine.MergeMask(changed, engine.Sub(c.Body, "serviceAccount"), engine.Text(c.Body, "updateMask"))
		entry.Data = changed
		return engine.Clone(changed), nil
	}
	service.Kinds[pools] = &engine.Kind{State: "state", Ready: "ACTIVE", Delete: notDeleted, Deleted: keepDeleted, Check: checkPoolID, Read: nameByNumber}
	// Rules are for workloads that attest themselves; nothing here makes any.
	service.Methods[pools+".listAttestationRules"] = func(c *engine.Call) (any, error) {
		if _, err := c.Target(); err != nil {
			return nil, err
		}
		return Object{}, nil
	}
	service.Methods[pools+".undelete"] = undelete
	service.Methods[pools+".providers.undelete"] = undelete
	service.Kinds[pools+".providers"] = &engine.Kind{
		State: "state", Ready: "ACTIVE", Delete: notDeleted, Deleted: keepDeleted, Read: nameByNumber,
		Check: func(c *engine.Call, old, o Object) error {
			mapping := engine.Sub(o, "attributeMapping")
			if mapping["google.subject"] == nil {
				return engine.Errorf(http.StatusBadRequest, "", "The attribute mapping must have google.subject.")
			}
			issuer := engine.Text(engine.Sub(o, "oidc"), "issuerUri")
			if !strings.HasPrefix(issuer, "https://") {
				return engine.Errorf(http.StatusBadRequest, "", "The issuer %q must be an https URL.", issuer)
			}
			if issuer == "https://token.actions.githubusercontent.com" && !strings.Contains(engine.Text(o, "attributeCondition"), "assertion.") {
				return engine.Errorf(http.StatusBadRequest, "", "The attribute condition must reference one of the provider's claims. For more information, see https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions")
			}
			return checkPoolID(c, old, o)
		},
	}
	return service
}

func checkPoolID(c *engine.Call, _, _ Object) error {
	if id := last(c.Name()); len(id) < 4 || len(id) > 32 || strings.HasPrefix(id, "gcp-") {
		return engine.Errorf(http.StatusBadRequest, "", "Invalid id %q: it must have 4 to 32 characters and not begin with \"gcp-\".", id)
	}
	return nil
}

// keepDeleted keeps what is deleted, as Google does for 30 days, in which its name stays taken and it can be undeleted:
// https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers#delete-pool. Here the 30 days do not end.
func keepDeleted(c *engine.Call, entry *engine.Entry) {
	if entry.Data["state"] != "ACTIVE" {
		return
	}
	data := engine.Clone(entry.Data)
	data["state"], data["expireTime"] = deleted, stamp(c.Now().AddDate(0, 0, 30))
	c.Cloud.Put(entry.Name, entry.Collection, data)
}

func notDeleted(c *engine.Call, entry *engine.Entry) error {
	if entry.Data["state"] == deleted {
		return engine.Preconditionf("%s is deleted already.", c.Name())
	}
	return nil
}

func undelete(c *engine.Call) (any, error) {
	entry, err := c.Target()
	if err != nil {
		return nil, err
	}
	if entry.Data["state"] != deleted {
		return nil, engine.Preconditionf("%s is not deleted.", c.Name())
	}
	return c.Service.Operation(c.Begin(entry.Name, func() {
		entry.Data["state"] = "ACTIVE"
		delete(entry.Data, "expireTime")
	}, nil)), nil
}

// deleted is the state of what is kept after its deletion.
const deleted = "DELETED"

// nameByNumber is how pools are named, whatever they were asked for by: the provider's name goes into tokens and policies.
func nameByNumber(c *engine.Call, o Object) {
	if _, rest, ok := strings.Cut(engine.Text(o, "name"), "/locations/"); ok {
		o["name"] = "projects/" + c.Project().Number + "/locations/" + rest
	}
}

// newResourceManager is projects and their IAM policies: https://cloud.google.com/resource-manager/reference/rest.
func newResourceManager(apis ...*discovery.API) *engine.Service {
	service := newStandard(apis...)
	get := func(c *engine.Call) (any, error) {
		project := c.Project()
		return Object{"projectId": project.ID, "projectNumber": project.Number, "name": project.ID, "lifecycleState": "ACTIVE", "state": "ACTIVE", "createTime": "2026-01-01T00:00:00Z"}, nil
	}
	service.Methods["cloudresourcemanager.projects.get"] = get
	return service
}

const services = "serviceusage.services"

// newServiceUsage is which APIs a project has enabled: https://cloud.google.com/service-usage/docs/reference/rest. Requests
// to an API that is not enabled are not refused: modules are used in projects whose APIs somebody else enables, too.
func newServiceUsage(api *discovery.API) *engine.Service {
	service := newStandard(api)
	set := func(c *engine.Call, name, state string) string {
		project := "projects/" + c.Project().Number
		full := c.Service.Host() + "/" + project + "/services/" + name
		if state == "DISABLED" {
			c.Cloud.Remove(full)
			return full
		}
		c.Cloud.Put(full, services, Object{"name": project + "/services/" + name, "parent": project, "state": state, "config": Object{"name": name}})
		return full
	}
	service.Methods[services+".batchEnable"] = func(c *engine.Call) (any, error) {
		full := ""
		for _, each := range engine.List(c.Body, "serviceIds") {
			text, _ := each.(string)
			if !strings.HasSuffix(text, ".googleapis.com") {
				return nil, engine.Errorf(http.StatusBadRequest, "", "Service %q does not exist.", text)
			}
			full = set(c, text, "ENABLED")
		}
		return c.Service.Operation(c.Begin(full, nil, nil)), nil
	}
	service.Methods[services+".enable"] = func(c *engine.Call) (any, error) {
		return c.Service.Operation(c.Begin(set(c, last(c.Name()), "ENABLED"), nil, nil)), nil
	}
	service.Methods[services+".disable"] = func(c *engine.Call) (any, error) {
		return c.Service.Operation(c.Begin(set(c, last(c.Name()), "DISABLED"), nil, nil)), nil
	}
	service.Methods[services+".get"] = func(c *engine.Call) (any, error) {
		project := "projects/" + c.Project().Number
		if entry := c.Cloud.Get(c.Service.Host() + "/" + project + "/services/" + last(c.Name())); entry != nil {
			return engine.Clone(entry.Data), nil
		}
		return Object{"name": project + "/services/" + last(c.Name()), "parent": project, "state": "DISABLED", "config": Object{"name": last(c.Name())}}, nil
	}
	service.Methods[services+".list"] = func(c *engine.Call) (any, error) {
		var found []any
		for _, entry := range c.Cloud.Entries(services, c.Service.Host()+"/projects/"+c.Project().Number+"/") {
			found = append(found, engine.Clone(entry.Data))
		}
		return Object{"services": found}, nil
	}
	return service
}
