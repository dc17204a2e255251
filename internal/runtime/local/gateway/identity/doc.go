// Package identity judges where a request came from and for which tenant it is. The global entry and the region gateways ask
// it; everybody else is told by them.
//
// Who the client is comes from the connection, or from X-Forwarded-For and its kin when the peer is a trusted proxy. Who the
// tenant is comes from the sources that the platform chose: the header X-Synapse-Tenant, the same header from trusted proxies
// only, the host name, a signed token. Each source may say a tenant or say nothing; sources that say different tenants refuse
// the request. What only says a tenant is told apart from what proves it: a host name and a header are anyone's to choose.
package identity
