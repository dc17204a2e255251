// Package postgres runs a real PostgreSQL server for each region of the local runtime, one primary and streaming hot
// standbys, and keeps tenants apart on them.
//
// # Servers
//
// The processes belong to a supervisor and outlive the daemon. Everything else is in one directory: the data of each
// instance, a record of its port and role, and the passwords. An instance is built beside its place and moved there at
// once, so that a crash at any moment leaves either nothing or a whole instance.
//
// # Roles
//
// The record of each instance says what it is, and everything follows from the records: whoever reads them finishes what
// a daemon that ended had begun. Exactly one instance is the primary, or none while a failover is under way.
//
//   - [Cluster.Fence] closes the primary for good: standby.signal is in its data before the record says fenced, and the
//     record says so before the server is killed. A server with the signal takes no writes, whoever starts it.
//   - [Cluster.Promote] writes down who is to be the primary, and then promotes it. standby.signal is there until the
//     server has left recovery: as long as it is, the promotion is to be finished.
//   - What was the primary, or has log that the primary never had, rejoins: by pg_rewind, or else by a copy. How far it
//     has come is in its record, and until it was seen to follow, it can not be promoted.
//   - [Cluster.Switchover] stops the primary before it fences it, and takes that back unless the standby has everything.
//
// These happen alone, and break off what is being done to single servers meanwhile.
//
// Replication is asynchronous or synchronous. For which standbys the primary waits is written down before it begins to,
// and before it ceases to: a failover never takes a standby that may lack writes for one that has them all.
//
// # Tenants
//
// Every tenant has a role tenant_NAME that cannot log in: the identity that its rows carry (pool) or that owns its objects
// (bridge, silo). Services connect as synapse_app, which inherits nothing, and become a tenant for one transaction with
// SET LOCAL ROLE. Credentials are logins of their own:
//
//   - pool: the login becomes tenant_NAME. It can create nothing, anywhere; rows of others are hidden by row-level
//     security, which the function synapse.isolate sets up on the shared tables.
//   - bridge and silo: the login becomes tenant_NAME_user, which reads and writes rows, but creates nothing either. A
//     tenant that could define a trigger or a function would have it run by the sessions of synapse_app, which may become
//     any tenant.
//
// A suspended tenant's access is taken away where it is granted, on the server: read_only takes the privileges to write
// from the roles that credentials become (and, in a pool, from the tenant's identity itself), deny takes CONNECT and ends
// the sessions. Services, which own the schemas of bridge and silo tenants, are held to read_only by the gateway.
//
// What PostgreSQL shows to every login stays visible: the names of roles, databases, schemas and tables in the catalogs
// and statistics about them, never rows. LISTEN and NOTIFY know no privileges: never send a tenant's data with NOTIFY.
package postgres
