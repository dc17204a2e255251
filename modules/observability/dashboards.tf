locals {
  # One list of graphs, drawn in Cloud Monitoring and in Grafana. What is recorded needs the rules in a cluster; the rest the gateways' metrics.
  graphs = { for service in local.services : service => concat(
    [
      { title = "Requests by region", unit = "reqps", query = "sum by (cluster, status) (rate(synapse_gateway_requests_total{service=\"${service}\"}[5m]))", legend = "{{cluster}} {{status}}" },
      { title = "Share of bad requests", unit = "percentunit", query = "sum by (cluster) (rate(synapse_gateway_requests_total{service=\"${service}\", status=~\"5xx|abandoned|broken\"}[5m])) / sum by (cluster) (rate(synapse_gateway_requests_total{service=\"${service}\", status!=\"none\"}[5m]))", legend = "{{cluster}}" },
      { title = "Latency, 50 %", unit = "s", query = "histogram_quantile(0.5, sum by (cluster, le) (rate(synapse_gateway_request_duration_seconds_bucket{service=\"${service}\"}[5m])))", legend = "{{cluster}}" },
      { title = "Latency, 99 %", unit = "s", query = "histogram_quantile(0.99, sum by (cluster, le) (rate(synapse_gateway_request_duration_seconds_bucket{service=\"${service}\"}[5m])))", legend = "{{cluster}}" },
    ],
    flatten([for name in local.slos_of[service] : [
      { title = "${name}: budget left", unit = "percentunit", query = "min(slo:period_error_budget_remaining:ratio{synapse_slo=\"${name}\", synapse_service=\"${service}\"})", legend = name },
      { title = "${name}: burn rate", unit = "none", query = "max(slo:current_burn_rate:ratio{synapse_slo=\"${name}\", synapse_service=\"${service}\"})", legend = name },
    ]]),
  ) }

  dashboards = { for service, graphs in local.graphs : service => jsonencode({
    displayName = "${var.name} ${service}"
    labels      = { (var.name) = "" }
    mosaicLayout = {
      columns = 48
      tiles = [for index, graph in graphs : merge(
        { width = 24, height = 16, widget = {
          title = graph.title
          xyChart = {
            chartOptions = { mode = "COLOR" }
            dataSets     = [{ plotType = "LINE", targetAxis = "Y1", legendTemplate = replace(replace(graph.legend, "{{", "$${metric.labels."), "}}", "}"), timeSeriesQuery = { prometheusQuery = graph.query } }]
            yAxis        = { scale = "LINEAR" }
          }
        } },
        # Google leaves zeroes out.
        index % 2 == 1 ? { xPos = 24 } : {},
        index >= 2 ? { yPos = floor(index / 2) * 16 } : {},
      )]
    }
  }) }

  grafana_dashboards = { for service, graphs in local.graphs : service => jsonencode({
    uid           = substr("${var.name}-${sha1(service)}", 0, 40)
    title         = "${var.name} ${service}"
    tags          = [var.name]
    timezone      = "utc"
    schemaVersion = 39
    refresh       = "1m"
    time          = { from = "now-6h", to = "now" }
    templating    = { list = [{ name = "datasource", type = "datasource", query = "prometheus", label = "Data source" }] }
    panels = [for index, graph in graphs : {
      id          = index + 1
      type        = "timeseries"
      title       = graph.title
      datasource  = { type = "prometheus", uid = "$${datasource}" }
      gridPos     = { x = index % 2 * 12, y = floor(index / 2) * 8, w = 12, h = 8 }
      fieldConfig = { defaults = { unit = graph.unit }, overrides = [] }
      targets     = [{ refId = "A", expr = graph.query, legendFormat = graph.legend }]
    }]
  }) }
}

resource "google_monitoring_dashboard" "this" {
  for_each = toset(local.services)

  project        = var.project_id
  dashboard_json = local.dashboards[each.key]
}
