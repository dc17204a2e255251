package synapse

// ReplicationMode says when a write counts as done.
type ReplicationMode string

// The modes of replication between the regions' databases.
const (
	// ReplicationAsynchronous answers a write when the primary has it on disk. The loss of the primary's region loses what
	// the standby had not received yet.
	ReplicationAsynchronous ReplicationMode = "asynchronous"
	// ReplicationSynchronous answers a write when a standby has it on disk too. The loss of one region loses no write that
	// was answered; each write takes a round trip between regions longer, and waits while no standby is there.
	ReplicationSynchronous ReplicationMode = "synchronous"
)
