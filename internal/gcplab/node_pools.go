package gcplab

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

func defaultNodePool(c *engine.Call, o Object) {
	engine.Default(o, Object{
		"initialNodeCount": 0, "config": Object{}, "management": Object{"autoUpgrade": true, "autoRepair": true},
		"upgradeSettings": Object{"maxSurge": 1, "strategy": "SURGE"}, "maxPodsConstraint": Object{"maxPodsPerNode": "110"},
		"networkConfig": Object{"enablePrivateNodes": false},
	})
	config := engine.Ensure(o, "config")
	engine.Default(config, Object{
		"machineType": "e2-medium", "diskSizeGb": 100, "diskType": "pd-balanced", "imageType": "COS_CONTAINERD", "serviceAccount": "default",
		"oauthScopes":            []any{"https://www.googleapis.com/auth/devstorage.read_only", "https://www.googleapis.com/auth/logging.write", "https://www.googleapis.com/auth/monitoring", "https://www.googleapis.com/auth/service.management.readonly", "https://www.googleapis.com/auth/servicecontrol", "https://www.googleapis.com/auth/trace.append"},
		"metadata":               Object{"disable-legacy-endpoints": "true"},
		"shieldedInstanceConfig": Object{"enableIntegrityMonitoring": true, "enableSecureBoot": false},
		"kubeletConfig":          Object{"insecureKubeletReadonlyPortEnabled": false},
		"loggingConfig":          Object{"variantConfig": Object{"variant": "DEFAULT"}},
		"windowsNodeConfig":      Object{}, "effectiveCgroupMode": "EFFECTIVE_CGROUP_MODE_V2",
	})
	if disk, ok := config["bootDisk"].(Object); ok {
		engine.Default(disk, Object{"diskType": config["diskType"], "sizeGb": fmt.Sprint(config["diskSizeGb"])})
	}
}

func checkNodePool(o Object) error {
	name := engine.Text(o, "name")
	if len(name) > 40 || !nameLike(name) {
		return engine.Errorf(http.StatusBadRequest, "", "Invalid value for field \"node_pool.name\": %q. Must be at most 40 characters: lowercase letters, digits and hyphens, beginning with a letter.", name)
	}
	scaling := engine.Sub(o, "autoscaling")
	for _, pair := range [][2]string{{"minNodeCount", "maxNodeCount"}, {"totalMinNodeCount", "totalMaxNodeCount"}} {
		least, _ := number(scaling[pair[0]])
		if most, ok := number(scaling[pair[1]]); ok && least > most {
			return engine.Errorf(http.StatusBadRequest, "", "Node pool %q: %s (%s) must not be greater than %s (%s).", name, pair[0], itoa(least), pair[1], itoa(most))
		}
	}
	surge, _ := number(engine.Sub(o, "upgradeSettings")["maxSurge"])
	unavailable, _ := number(engine.Sub(o, "upgradeSettings")["maxUnavailable"])
	if strategy := engine.Sub(o, "upgradeSettings")["strategy"]; strategy == "SURGE" && surge+unavailable == 0 {
		return engine.Errorf(http.StatusBadRequest, "", "Node pool %q: max_surge and max_unavailable cannot both be 0.", name)
	}
	return nil
}

func changePool(change func(*engine.Call, Object)) func(*engine.Call) (any, error) {
	return func(c *engine.Call) (any, error) {
		entry, err := c.Target()
		if err != nil {
			return nil, err
		}
		changed := engine.Clone(entry.Data)
		change(c, changed)
		return c.Change(entry, changed)
	}
}

// updateNodePool takes the fields of the request as they are named in a pool, or in its config.
func updateNodePool(c *engine.Call) (any, error) {
	return changePool(func(c *engine.Call, pool Object) {
		for name, value := range c.Body {
			switch name {
			case "name", "clusterId", "projectId", "zone", "nodePoolId", "etag":
			case "upgradeSettings", "locations", "nodeNetworkConfig", "queuedProvisioning":
				pool[strings.Replace(name, "nodeNetworkConfig", "networkConfig", 1)] = value
			case "nodeVersion":
				pool["version"] = value
			default:
				engine.Ensure(pool, "config")[name] = value
			}
		}
	})(c)
}
