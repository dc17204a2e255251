package gcplab

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

const (
	clusters  = "container.projects.locations.clusters"
	nodePools = clusters + ".nodePools"
	// gkeVersion is what new clusters get.
	gkeVersion = "1.34.1-gke.1293000"
)

// newContainer is Google Kubernetes Engine: https://cloud.google.com/kubernetes-engine/docs/reference/rest.
func newContainer(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.Operation = containerOperation
	service.NotFound = func(_ *engine.Call, name string) *engine.Error {
		return engine.Errorf(http.StatusNotFound, "", "Not found: %s.", name)
	}
	service.Exists = func(_ *engine.Call, name string) *engine.Error {
		return engine.Errorf(http.StatusConflict, "", "Already exists: %s.", name)
	}
	service.Stamp = func(c *engine.Call, o Object) {
		o["name"] = last(c.Name())
		o["selfLink"] = "https://container.googleapis.com/v1/" + c.Name()
		touchStandard(c, o)
	}
	service.Kinds[clusters] = &engine.Kind{
		Resource: func(body Object) Object { return engine.Sub(body, "cluster") },
		Default:  defaultCluster, Check: checkCluster, Created: createdCluster,
		State: "status", Busy: "PROVISIONING", Ready: "RUNNING",
		Done:   joinFleet,
		Read:   readCluster,
		Delete: idleCluster, Deleted: leaveFleet,
	}
	service.Kinds[nodePools] = &engine.Kind{
		Resource: func(body Object) Object { return engine.Sub(body, "nodePool") },
		Default:  defaultNodePool,
		State:    "status", Busy: "PROVISIONING", Ready: "RUNNING",
		Check: func(c *engine.Call, old, o Object) error {
			cluster, err := c.Parent(2)
			if err != nil {
				return err
			}
			if engine.Sub(cluster.Data, "autopilot")["enabled"] == true {
				return engine.Errorf(http.StatusBadRequest, "", "Autopilot node pools cannot be accessed or modified.")
			}
			if err := checkNodePool(o); err != nil || old != nil {
				return err
			}
			return idleCluster(c, cluster)
		},
		Created: func(c *engine.Call, o Object) {
			o["version"] = gkeVersion
			o["podIpv4CidrSize"] = 24
			o["locations"] = c.Cloud.Get(c.Service.Host() + "/" + strings.Join(c.Path[:6], "/")).Data["locations"]
			o["instanceGroupUrls"] = []any{}
		},
		Delete: func(c *engine.Call, entry *engine.Entry) error {
			return idleCluster(c, c.Cloud.Get(c.Service.Host()+"/"+strings.Join(c.Path[:6], "/")))
		},
	}
	service.Methods[clusters+".update"] = changeCluster(updateCluster)
	service.Methods[nodePools+".update"] = updateNodePool
	service.Methods[clusters+".setResourceLabels"] = changeCluster(func(c *engine.Call, cluster Object) { cluster["resourceLabels"] = c.Body["resourceLabels"] })
	service.Methods[clusters+".setMaintenancePolicy"] = changeCluster(func(c *engine.Call, cluster Object) { cluster["maintenancePolicy"] = c.Body["maintenancePolicy"] })
	service.Methods[clusters+".setLogging"] = changeCluster(func(c *engine.Call, cluster Object) { cluster["loggingService"] = c.Body["loggingService"] })
	service.Methods[clusters+".setMonitoring"] = changeCluster(func(c *engine.Call, cluster Object) { cluster["monitoringService"] = c.Body["monitoringService"] })
	service.Methods[nodePools+".setAutoscaling"] = changePool(func(c *engine.Call, pool Object) { pool["autoscaling"] = c.Body["autoscaling"] })
	service.Methods[nodePools+".setManagement"] = changePool(func(c *engine.Call, pool Object) { pool["management"] = c.Body["management"] })
	service.Methods[nodePools+".setSize"] = changePool(func(c *engine.Call, pool Object) { pool["initialNodeCount"] = c.Body["nodeCount"] })
	service.Methods["container.projects.locations.getServerConfig"] = func(c *engine.Call) (any, error) {
		return Object{"defaultClusterVersion": gkeVersion, "validMasterVersions": []any{gkeVersion}, "validNodeVersions": []any{gkeVersion}, "defaultImageType": "COS_CONTAINERD"}, nil
	}
	return service
}

// clusterDefaults are what a cluster has that asks for nothing:
// https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#Cluster.
func clusterDefaults(autopilot bool) Object {
	defaults := Object{
		"loggingService": "logging.googleapis.com/kubernetes", "monitoringService": "monitoring.googleapis.com/kubernetes",
		"databaseEncryption":             Object{"state": "DECRYPTED", "currentState": "CURRENT_STATE_DECRYPTED"},
		"defaultMaxPodsConstraint":       Object{"maxPodsPerNode": "110"},
		"networkPolicy":                  Object{},
		"masterAuth":                     Object{"clientCertificateConfig": Object{}, "clusterCaCertificate": "bm90IGEgY2VydGlmaWNhdGU="},
		"legacyAbac":                     Object{},
		"shieldedNodes":                  Object{"enabled": true},
		"releaseChannel":                 Object{"channel": "REGULAR"},
		"notificationConfig":             Object{"pubsub": Object{}},
		"autoscaling":                    Object{"autoscalingProfile": "BALANCED"},
		"addonsConfig":                   Object{"gcePersistentDiskCsiDriverConfig": Object{"enabled": true}, "kubernetesDashboard": Object{"disabled": true}, "networkPolicyConfig": Object{"disabled": true}, "dnsCacheConfig": Object{"enabled": autopilot}},
		"loggingConfig":                  Object{"componentConfig": Object{"enableComponents": []any{"SYSTEM_COMPONENTS", "WORKLOADS"}}},
		"monitoringConfig":               Object{"componentConfig": Object{"enableComponents": []any{"SYSTEM_COMPONENTS"}}, "managedPrometheusConfig": Object{"enabled": true}, "advancedDatapathObservabilityConfig": Object{}},
		"securityPostureConfig":          Object{"mode": "BASIC", "vulnerabilityMode": "VULNERABILITY_MODE_UNSPECIFIED"},
		"nodePoolDefaults":               Object{"nodeConfigDefaults": Object{"loggingConfig": Object{"variantConfig": Object{"variant": "DEFAULT"}}, "nodeKubeletConfig": Object{"insecureKubeletReadonlyPortEnabled": false}}},
		"networkConfig":                  Object{"serviceExternalIpsConfig": Object{}, "defaultSnatStatus": Object{}, "datapathProvider": "LEGACY_DATAPATH", "enableIntraNodeVisibility": autopilot},
		"ipAllocationPolicy":             Object{"useIpAliases": true, "stackType": "IPV4", "podCidrOverprovisionConfig": Object{}, "defaultPodIpv4RangeUtilization": 0.0},
		"controlPlaneEndpointsConfig":    Object{"dnsEndpointConfig": Object{"allowExternalTraffic": false}, "ipEndpointsConfig": Object{"enabled": true, "enablePublicEndpoint": true, "globalAccess": false, "authorizedNetworksConfig": Object{}}},
		"privateClusterConfig":           Object{},
		"enterpriseConfig":               Object{"clusterTier": "STANDARD"},
		"rbacBindingConfig":              Object{"enableInsecureBindingSystemUnauthenticated": true, "enableInsecureBindingSystemAuthenticated": true},
		"masterAuthorizedNetworksConfig": Object{},
		"secretManagerConfig":            Object{"enabled": false},
		"podAutoscaling":                 Object{"hpaProfile": "PERFORMANCE"},
	}
	if autopilot {
		defaults["networkConfig"] = Object{"serviceExternalIpsConfig": Object{}, "defaultSnatStatus": Object{}, "datapathProvider": "ADVANCED_DATAPATH", "enableIntraNodeVisibility": true, "gatewayApiConfig": Object{"channel": "CHANNEL_STANDARD"}, "dnsConfig": Object{"clusterDns": "CLOUD_DNS", "clusterDnsScope": "CLUSTER_SCOPE", "clusterDnsDomain": "cluster.local"}}
		defaults["autoscaling"] = Object{"autoscalingProfile": "OPTIMIZE_UTILIZATION", "enableNodeAutoprovisioning": true, "autoprovisioningNodePoolDefaults": Object{}, "resourceLimits": []any{Object{"resourceType": "cpu", "maximum": "1000000000"}, Object{"resourceType": "memory", "maximum": "1000000000"}}}
		defaults["verticalPodAutoscaling"] = Object{"enabled": true}
	}
	return defaults
}

func defaultCluster(c *engine.Call, o Object) {
	autopilot := engine.Sub(o, "autopilot")["enabled"] == true
	engine.Default(o, clusterDefaults(autopilot))
	if engine.Sub(o, "databaseEncryption")["state"] == "ENCRYPTED" {
		engine.Ensure(o, "databaseEncryption")["currentState"] = "CURRENT_STATE_ENCRYPTED"
	}
	if autopilot {
		project := c.Project().ID
		engine.Default(o, Object{"workloadIdentityConfig": Object{"workloadPool": project + ".svc.id.goog"}})
	}
	// Two names for one thing, of which the older one is still read.
	endpoints := engine.Ensure(o, "controlPlaneEndpointsConfig", "ipEndpointsConfig")
	private := engine.Ensure(o, "privateClusterConfig")
	if endpoints["enabled"] == false || private["enablePrivateEndpoint"] == true {
		endpoints["enablePublicEndpoint"] = false
	}
	private["enablePrivateEndpoint"] = endpoints["enablePublicEndpoint"] == false
	location := c.After("locations")
	if len(engine.List(o, "locations")) == 0 {
		var zones []any
		for _, zone := range zonesOf(location) {
			zones = append(zones, zone)
		}
		if isZone(location) {
			zones = []any{location}
		}
		o["locations"] = zones[:min(len(zones), 3)]
	}
	allocation := engine.Ensure(o, "ipAllocationPolicy")
	if name, ok := c.Resolve(subnetOf(c, o)); ok {
		if subnet := c.Cloud.Get(name); subnet != nil {
			for _, secondary := range engine.Objects(subnet.Data, "secondaryIpRanges") {
				switch secondary["rangeName"] {
				case allocation["clusterSecondaryRangeName"]:
					allocation["clusterIpv4CidrBlock"], allocation["clusterIpv4Cidr"] = secondary["ipCidrRange"], secondary["ipCidrRange"]
					o["clusterIpv4Cidr"] = secondary["ipCidrRange"]
				case allocation["servicesSecondaryRangeName"]:
					allocation["servicesIpv4CidrBlock"], allocation["servicesIpv4Cidr"] = secondary["ipCidrRange"], secondary["ipCidrRange"]
					o["servicesIpv4Cidr"] = secondary["ipCidrRange"]
				}
			}
		}
	}
}

// subnetOf gives the cluster's subnet in full, since GKE takes a name as well.
func subnetOf(c *engine.Call, o Object) string {
	subnet := engine.Text(o, "subnetwork")
	if subnet != "" && !strings.Contains(subnet, "/") {
		return "projects/" + c.Project().ID + "/regions/" + c.After("locations") + "/subnetworks/" + subnet
	}
	return subnet
}

// checkCluster has the rules of https://cloud.google.com/kubernetes-engine/docs/troubleshooting and of the reference.
func checkCluster(c *engine.Call, old, o Object) error {
	if err := checkLocation(c); err != nil {
		return err
	}
	name := engine.Text(o, "name")
	if len(name) > 40 || !nameLike(name) {
		return engine.Errorf(http.StatusBadRequest, "", "Invalid value for field \"cluster.name\": %q. Must be at most 40 characters: lowercase letters, digits and hyphens, beginning with a letter.", name)
	}
	subnetName, ok := c.Resolve(subnetOf(c, o))
	subnet := c.Cloud.Get(subnetName)
	if !ok || subnet == nil {
		return engine.Errorf(http.StatusNotFound, "", "Not found: project \"%s\" does not have a subnetwork named %q.", c.Project().ID, engine.Text(o, "subnetwork"))
	}
	location := c.After("locations")
	if region := last(engine.Text(subnet.Data, "region")); location != region && !slices.Contains(zonesOf(region), location) {
		return engine.Errorf(http.StatusBadRequest, "", "Subnetwork %q is not valid for a cluster in %q: it is in %q.", last(subnetName), location, region)
	}
	allocation := engine.Sub(o, "ipAllocationPolicy")
	for _, field := range []string{"clusterSecondaryRangeName", "servicesSecondaryRangeName"} {
		wanted := engine.Text(allocation, field)
		found := slices.ContainsFunc(engine.Objects(subnet.Data, "secondaryIpRanges"), func(each Object) bool { return each["rangeName"] == wanted })
		if wanted != "" && !found {
			return engine.Errorf(http.StatusBadRequest, "", "Services range name %q of field %q is not a secondary range of subnetwork %q.", wanted, field, last(subnetName))
		}
	}
	if pools := engine.Objects(o, "nodePools"); engine.Sub(o, "autopilot")["enabled"] == true && len(pools) > 0 && old == nil {
		return engine.Errorf(http.StatusBadRequest, "", "Node pools cannot be specified for Autopilot clusters.")
	}
	for _, pool := range engine.Objects(o, "nodePools") {
		if err := checkNodePool(pool); err != nil {
			return err
		}
	}
	if encryption := engine.Sub(o, "databaseEncryption"); encryption["state"] == "ENCRYPTED" {
		key := engine.Text(encryption, "keyName")
		if parts := strings.Split(key, "/"); len(parts) < 4 || parts[3] != location && parts[3] != last(engine.Text(subnet.Data, "region")) {
			return engine.Errorf(http.StatusBadRequest, "", "Invalid value for field \"cluster.database_encryption.key_name\": the key %q must be in the cluster's location, %q.", key, location)
		}
		return mayUseKey(c, key, "service-"+c.Project().Number+"@container-engine-robot.iam.gserviceaccount.com")
	}
	return nil
}

func createdCluster(c *engine.Call, o Object) {
	location := c.After("locations")
	o["id"], o["location"], o["zone"] = c.Serial(), location, location
	o["createTime"] = c.Time()
	o["initialClusterVersion"], o["currentMasterVersion"], o["currentNodeVersion"] = gkeVersion, gkeVersion, gkeVersion
	o["endpoint"] = freeAddress(c)
	control := engine.Ensure(o, "controlPlaneEndpointsConfig")
	engine.Ensure(control, "dnsEndpointConfig")["endpoint"] = fmt.Sprintf("gke-%s-%s.%s.gke.goog", fingerprintHex(c.Name()), c.Project().Number, location)
	engine.Ensure(control, "ipEndpointsConfig")["publicEndpoint"] = o["endpoint"]
	engine.Ensure(control, "ipEndpointsConfig")["privateEndpoint"] = "10.255.255.2"
	private := engine.Ensure(o, "privateClusterConfig")
	engine.Default(private, Object{"privateEndpoint": "10.255.255.2", "publicEndpoint": o["endpoint"]})
	engine.Ensure(o, "networkConfig")["network"] = relative(c, engine.Text(o, "network"), "global/networks/")
	engine.Ensure(o, "networkConfig")["subnetwork"] = relative(c, subnetOf(c, o), "")
	o["network"], o["subnetwork"] = last(engine.Text(o, "network")), last(engine.Text(o, "subnetwork"))
	pools := engine.Objects(o, "nodePools")
	delete(o, "nodePools")
	if count, ok := number(o["initialNodeCount"]); ok && len(pools) == 0 && engine.Sub(o, "autopilot")["enabled"] != true {
		config := engine.Sub(o, "nodeConfig")
		pools = []Object{{"name": "default-pool", "initialNodeCount": count, "config": config}}
	}
	for _, pool := range pools {
		item := *c
		item.Path = append(slices.Clone(c.Path), "nodePools", engine.Text(pool, "name"))
		defaultNodePool(&item, pool)
		pool["status"], pool["version"], pool["locations"], pool["podIpv4CidrSize"] = "RUNNING", gkeVersion, o["locations"], 24
		pool["selfLink"], pool["instanceGroupUrls"] = "https://container.googleapis.com/v1/"+item.Name(), []any{}
		c.Cloud.Put(item.FullName(), nodePools, pool)
	}
}

func relative(c *engine.Call, value, prefix string) string {
	if name, ok := c.Resolve(value); ok {
		_, short, _ := strings.Cut(name, "/")
		return short
	}
	return "projects/" + c.Project().ID + "/" + prefix + value
}

func readCluster(c *engine.Call, o Object) {
	var pools []any
	for _, pool := range c.Cloud.Entries(nodePools, c.Service.Host()+"/"+strings.TrimPrefix(engine.Text(o, "selfLink"), "https://container.googleapis.com/v1/")+"/nodePools/") {
		pools = append(pools, engine.Clone(pool.Data))
	}
	if len(pools) > 0 {
		o["nodePools"] = pools
		o["nodeConfig"] = engine.Clone(pools[0].(Object)["config"])
		o["currentNodeCount"] = len(pools)
	}
}

// idleCluster refuses work on a cluster that something is being done to:
// https://cloud.google.com/kubernetes-engine/docs/troubleshooting/troubleshoot-upgrades ("incompatible operation").
func idleCluster(c *engine.Call, entry *engine.Entry) error {
	if entry == nil {
		return c.Service.NotFound(c, strings.Join(c.Path[:6], "/"))
	}
	if operation := c.Cloud.Busy(entry.Name); operation != nil {
		return engine.Preconditionf("Cluster is running incompatible operation %s.", operation.ID)
	}
	return nil
}

// clusterFields says which field of a cluster a "desired" field of an update sets, where it is not that of its name:
// https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/ClusterUpdate.
var clusterFields = map[string]string{
	"gatewayApiConfig": "networkConfig.gatewayApiConfig", "datapathProvider": "networkConfig.datapathProvider", "dnsConfig": "networkConfig.dnsConfig",
	"l4ilbSubsettingConfig": "networkConfig", "masterVersion": "currentMasterVersion", "autopilotWorkloadPolicyConfig": "autopilot.workloadPolicyConfig",
	"intraNodeVisibilityConfig": "networkConfig", "serviceExternalIpsConfig": "networkConfig.serviceExternalIpsConfig", "clusterAutoscaling": "autoscaling",
	"enableFqdnNetworkPolicy": "networkConfig.enableFqdnNetworkPolicy", "enableCiliumClusterwideNetworkPolicy": "networkConfig.enableCiliumClusterwideNetworkPolicy",
	"inTransitEncryptionConfig": "networkConfig.inTransitEncryptionConfig", "enablePrivateEndpoint": "privateClusterConfig.enablePrivateEndpoint",
}

func updateCluster(c *engine.Call, cluster Object) {
	update := engine.Sub(c.Body, "update")
	for _, name := range slices.Sorted(maps.Keys(update)) {
		wanted, ok := strings.CutPrefix(name, "desired")
		if !ok {
			continue
		}
		field := strings.ToLower(wanted[:1]) + wanted[1:]
		path := strings.Split(field, ".")
		if special := clusterFields[field]; special != "" {
			path = strings.Split(special, ".")
		}
		engine.Merge(engine.Ensure(cluster, path[:len(path)-1]...), Object{path[len(path)-1]: update[name]})
	}
	if fleet, ok := update["desiredFleet"].(Object); ok && engine.Text(fleet, "project") == "" {
		engine.Ensure(cluster, "fleet")["project"] = ""
	}
}

func changeCluster(change func(*engine.Call, Object)) func(*engine.Call) (any, error) {
	return func(c *engine.Call) (any, error) {
		entry, err := c.Target()
		if err != nil {
			return nil, err
		}
		if err := idleCluster(c, entry); err != nil {
			return nil, err
		}
		changed := engine.Clone(entry.Data)
		change(c, changed)
		return c.Change(entry, changed)
	}
}

func containerOperation(o *engine.Operation) Object {
	c := o.Call
	_, target, _ := strings.Cut(o.Target, "/")
	scope := "projects/" + c.Project().Number + "/locations/" + c.After("locations")
	result := Object{
		"name": o.ID, "operationType": strings.ToUpper(c.Method.Verb()) + "_CLUSTER", "status": "RUNNING", "location": c.After("locations"), "zone": c.After("locations"),
		"startTime": stamp(o.Start), "targetLink": "https://container.googleapis.com/v1/" + target,
		"selfLink": "https://container.googleapis.com/v1/" + scope + "/operations/" + o.ID,
	}
	if o.Done() {
		result["status"], result["endTime"] = "DONE", stamp(o.End)
		if o.Err != nil {
			result["statusMessage"] = o.Err.Message
			result["error"] = Object{"code": canonical(o.Err), "message": o.Err.Message}
		}
	}
	return result
}
