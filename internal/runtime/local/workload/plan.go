package workload

import "slices"

// replicaPhase is where one replica is in its life.
type replicaPhase int

const (
	starting replicaPhase = iota // started, or about to be started again, and not yet serving
	ready                        // healthy for long enough: it counts
	draining                     // takes no new requests and ends soon
)

// replica is one replica as planning sees it.
type replica struct {
	id       string
	revision string
	phase    replicaPhase
}

// view is all that planning looks at.
type view struct {
	wanted      int    // replicas that should serve
	surge       int    // replicas above wanted while rolling
	unavailable int    // replicas below wanted while rolling
	live        string // revision that was last rolled out completely, or ""
	target      string // revision to roll out
	replicas    []replica
	// failed holds the target back: the live revision serves alone, and the target's replicas go if remove is set and
	// stay as they are otherwise.
	failed, remove bool
}

// step is what to do next: any number of starts and drains, all of which are safe together.
type step struct {
	start map[string]int // replicas to start, by revision
	drain []string       // ids of replicas to drain and stop
	// done says that the target serves alone and in full: it is the live revision from now on.
	done bool
}

// plan decides the next step towards the wanted state. It keeps two promises in every state it can be called in: no
// step starts a replica beyond wanted+surge, and none drains a serving replica when fewer than wanted-unavailable
// would be left.
func plan(v view) step {
	s := step{start: map[string]int{}}
	target := v.target
	if v.failed {
		target = v.live
	}
	surge := v.surge
	if v.live == "" || v.live == target {
		surge = 0
	}

	var current, others []replica // of the target revision and of all others, draining ones left out
	serving, total := 0, 0
	for _, r := range v.replicas {
		if r.phase == draining {
			continue
		}
		if r.phase == ready {
			serving++
		}
		if v.failed && r.revision == v.target && r.revision != v.live && !v.remove {
			continue // left for a look; it neither counts nor goes
		}
		total++
		if r.revision == target {
			current = append(current, r)
		} else {
			others = append(others, r)
		}
	}

	drain := func(r replica) {
		s.drain = append(s.drain, r.id)
		total--
		if r.phase == ready {
			serving--
		}
	}
	// What never served goes first: it costs nothing.
	for _, r := range others {
		if r.phase == starting {
			drain(r)
		}
	}
	for _, r := range others {
		if r.phase == ready && serving-1 >= v.wanted-v.unavailable {
			drain(r)
		}
	}
	// Of too many current ones the last go first, and those that do not serve before those that do.
	excess := slices.Clone(current)
	slices.Reverse(excess)
	slices.SortStableFunc(excess, func(a, b replica) int { return int(a.phase) - int(b.phase) })
	for i := range max(0, len(current)-v.wanted) {
		if r := excess[i]; r.phase == starting || serving-1 >= v.wanted-v.unavailable {
			drain(r)
		}
	}

	if target != "" {
		if n := min(v.wanted-len(current), v.wanted+surge-total); n > 0 {
			s.start[target] = n
		}
	}

	readyCurrent := 0
	for _, r := range current {
		if r.phase == ready {
			readyCurrent++
		}
	}
	left := len(others)
	for _, r := range others {
		if slices.Contains(s.drain, r.id) {
			left--
		}
	}
	s.done = !v.failed && target != v.live && readyCurrent >= v.wanted && left == 0
	return s
}
