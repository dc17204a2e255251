package gcplab

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

const (
	dnsZones   = "dns.managedZones"
	dnsRecords = "dns.resourceRecordSets"
)

// newDNS is Cloud DNS: https://cloud.google.com/dns/docs/reference/rest/v1.
func newDNS(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.Touch = nil
	service.Check = nil
	service.NotFound = func(_ *engine.Call, name string) *engine.Error {
		return engine.Errorf(http.StatusNotFound, "notFound", "The 'parameters.%s' resource named '%s' does not exist.", parameterOf(name), last(name))
	}
	service.Exists = func(_ *engine.Call, name string) *engine.Error {
		return engine.Errorf(http.StatusConflict, "alreadyExists", "The resource 'entity.%s' named '%s' already exists", parameterOf(name), last(name))
	}
	service.Operation = func(o *engine.Operation) Object {
		return Object{"kind": "dns#operation", "id": o.ID, "status": "DONE", "startTime": stamp(o.Start), "type": o.Call.Method.Verb()}
	}
	service.Stamp = func(c *engine.Call, o Object) {
		if c.Method.Collection() == dnsZones {
			o["id"], o["creationTime"] = c.Serial(), c.Time()
		}
	}
	service.Kinds[dnsZones] = &engine.Kind{
		Immutable: []string{"name", "dnsName", "visibility"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"kind": "dns#managedZone", "visibility": "public", "cloudLoggingConfig": Object{"kind": "dns#managedZoneCloudLoggingConfig", "enableLogging": false}})
			if o["visibility"] == "public" {
				delete(o, "privateVisibilityConfig")
				security := engine.Ensure(o, "dnssecConfig")
				engine.Default(security, Object{"kind": "dns#managedZoneDnsSecConfig", "state": "off"})
				if security["state"] == "on" {
					engine.Default(security, Object{"nonExistence": "nsec3", "defaultKeySpecs": []any{
						Object{"kind": "dns#dnsKeySpec", "algorithm": "rsasha256", "keyLength": 2048, "keyType": "keySigning"},
						Object{"kind": "dns#dnsKeySpec", "algorithm": "rsasha256", "keyLength": 1024, "keyType": "zoneSigning"},
					}})
				}
			}
		},
		Check: checkZone,
		Created: func(c *engine.Call, o Object) {
			letter := string('a' + rune(len(o["dnsName"].(string))%5))
			var servers []any
			for i := 1; i <= 4; i++ {
				servers = append(servers, fmt.Sprintf("ns-cloud-%s%d.googledomains.com.", letter, i))
			}
			o["nameServers"] = servers
			for _, record := range []Object{
				{"type": "NS", "ttl": 21600, "rrdatas": servers},
				{"type": "SOA", "ttl": 21600, "rrdatas": []any{servers[0].(string) + " cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300"}},
			} {
				record["kind"], record["name"] = "dns#resourceRecordSet", o["dnsName"]
				putRecord(c, c.Name(), record)
			}
		},
		Delete: func(c *engine.Call, entry *engine.Entry) error {
			if len(c.Cloud.Entries(dnsRecords, entry.Name+"/")) > 2 {
				return engine.Errorf(http.StatusBadRequest, "containerNotEmpty", "The resource named '%s' cannot be deleted because it contains one or more 'resource records'.", engine.Text(entry.Data, "name"))
			}
			return nil
		},
	}
	service.Kinds[dnsRecords] = &engine.Kind{
		ID: func(c *engine.Call, o Object) (string, error) {
			return engine.Text(o, "name") + "/" + engine.Text(o, "type"), nil
		},
		Default: func(_ *engine.Call, o Object) { engine.Default(o, Object{"kind": "dns#resourceRecordSet"}) },
		Check:   checkRecord,
	}
	service.Methods[dnsRecords+".list"] = listRecords
	service.Methods["dns.changes.create"] = changeRecords
	service.Methods["dns.changes.get"] = func(c *engine.Call) (any, error) {
		return Object{"kind": "dns#change", "id": last(c.Name()), "status": "done"}, nil
	}
	return service
}

func parameterOf(name string) string {
	if strings.Contains(name, "/rrsets/") {
		return "rrset"
	}
	return "managedZone"
}

func putRecord(c *engine.Call, zone string, record Object) {
	name := zone + "/rrsets/" + engine.Text(record, "name") + "/" + engine.Text(record, "type")
	c.Cloud.Put(c.Service.Host()+"/"+name, dnsRecords, record)
}

func checkZone(_ *engine.Call, _, o Object) error {
	if name := engine.Text(o, "name"); len(name) > 63 || !nameLike(name) {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for 'entity.managedZone.name': '%s'", name)
	}
	if name := engine.Text(o, "dnsName"); !validDNSName(name) {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for 'entity.managedZone.dnsName': '%s'", name)
	}
	if o["visibility"] == "private" && engine.Sub(o, "dnssecConfig")["state"] == "on" {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for 'entity.managedZone.dnssecConfig': DNSSEC is for public zones.")
	}
	return nil
}

func validDNSName(name string) bool {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.ContainsAny(label, " /:") {
			return false
		}
	}
	return strings.HasSuffix(name, ".") && len(name) <= 254
}

// checkRecord has the rules of https://cloud.google.com/dns/docs/reference/rest/v1/resourceRecordSets.
func checkRecord(c *engine.Call, _, o Object) error {
	zone := c.Cloud.Get(c.Service.Host() + "/" + strings.Join(c.Path[:4], "/"))
	if zone == nil {
		return c.Service.NotFound(c, strings.Join(c.Path[:4], "/"))
	}
	name, apex := engine.Text(o, "name"), engine.Text(zone.Data, "dnsName")
	if !validDNSName(name) || name != apex && !strings.HasSuffix(name, "."+apex) {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for 'entity.rrset.name': '%s'. It is not in the zone %s", name, apex)
	}
	kind := engine.Text(o, "type")
	if kind == "CNAME" && name == apex {
		return engine.Errorf(http.StatusBadRequest, "cnameResourceRecordSetConflict", "The resource record set 'entity.rrset' is invalid because the DNS name '%s' may not have a CNAME: it is the zone's apex.", name)
	}
	for _, other := range c.Cloud.Entries(dnsRecords, zone.Name+"/rrsets/"+name+"/") {
		if otherKind := engine.Text(other.Data, "type"); otherKind != kind && (kind == "CNAME" || otherKind == "CNAME") {
			return engine.Errorf(http.StatusBadRequest, "cnameResourceRecordSetConflict", "The resource record set 'entity.rrset' is invalid because the DNS name '%s' may have either one CNAME resource record set or resource record sets of other types, but not both.", name)
		}
	}
	if len(engine.List(o, "rrdatas")) == 0 && len(engine.Sub(o, "routingPolicy")) == 0 {
		return engine.Errorf(http.StatusBadRequest, "required", "Invalid value for 'entity.rrset.rrdatas': it must not be empty.")
	}
	for i, each := range engine.List(o, "rrdatas") {
		text, _ := each.(string)
		address, err := netip.ParseAddr(text)
		if kind == "A" && (err != nil || !address.Is4()) || kind == "AAAA" && (err != nil || !address.Is6()) {
			return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for 'entity.rrset.rrdata[%d]': '%s'", i, text)
		}
		if kind == "CNAME" && !validDNSName(text) {
			return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for 'entity.rrset.rrdata[%d]': '%s'", i, text)
		}
	}
	return nil
}

func listRecords(c *engine.Call) (any, error) {
	zone, err := c.Parent(1)
	if err != nil {
		return nil, err
	}
	var items []any
	for _, record := range c.Cloud.Entries(dnsRecords, zone.Name+"/") {
		if name := c.Query["name"]; name != "" && name != record.Data["name"] {
			continue
		}
		if kind := c.Query["type"]; kind != "" && kind != record.Data["type"] {
			continue
		}
		items = append(items, engine.Clone(record.Data))
	}
	return Object{"kind": "dns#resourceRecordSetsListResponse", "rrsets": items}, nil
}

// changeRecords deletes and adds records, all or none.
func changeRecords(c *engine.Call) (any, error) {
	zone, err := c.Parent(1)
	if err != nil {
		return nil, err
	}
	_, zoneName, _ := strings.Cut(zone.Name, "/")
	key := func(record Object) string {
		return zone.Name + "/rrsets/" + engine.Text(record, "name") + "/" + engine.Text(record, "type")
	}
	removed := map[string]bool{}
	for i, record := range engine.Objects(c.Body, "deletions") {
		if c.Cloud.Get(key(record)) == nil {
			return nil, engine.Errorf(http.StatusNotFound, "notFound", "The 'entity.change.deletions[%d]' resource named '%s (%s)' does not exist.", i, record["name"], record["type"])
		}
		removed[key(record)] = true
	}
	additions := engine.Objects(c.Body, "additions")
	for i, record := range additions {
		if c.Cloud.Get(key(record)) != nil && !removed[key(record)] {
			return nil, engine.Errorf(http.StatusConflict, "alreadyExists", "The resource 'entity.change.additions[%d]' named '%s (%s)' already exists", i, record["name"], record["type"])
		}
		if err := checkRecord(c, nil, record); err != nil {
			return nil, err
		}
	}
	for name := range removed {
		c.Cloud.Remove(name)
	}
	for _, record := range additions {
		record = engine.Clone(record)
		record["kind"] = "dns#resourceRecordSet"
		putRecord(c, zoneName, record)
	}
	return Object{"kind": "dns#change", "id": c.Serial(), "status": "done", "startTime": c.Time(), "additions": c.Body["additions"], "deletions": c.Body["deletions"]}, nil
}
