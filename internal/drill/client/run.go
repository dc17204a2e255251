package client

import (
	"context"
	"sync"
	"time"
)

// tooMany is the class of what was not sent because too much had no answer yet.
const tooMany = "too many in flight"

// Run sends requests and writes markers until ctx ends or the spec's time has come. What is on its way then still gets its
// answer, or is given up at its deadline, and is written down: Run returns when the file is complete.
func Run(ctx context.Context, spec Spec) error {
	if err := spec.validate(); err != nil {
		return err
	}
	// A file that cannot be written to ends the client as well: it would measure for nobody.
	ctx, stop := context.WithDeadline(ctx, spec.Until)
	defer stop()
	requests, err := newRequester(spec)
	if err != nil {
		return err
	}
	defer requests.close()
	markers, err := newMarker(spec)
	if err != nil {
		return err
	}
	defer markers.close()
	record, err := newRecorder(spec.Output, stop)
	if err != nil {
		return err
	}
	var generators sync.WaitGroup
	clock := newClock()
	for _, g := range []*generator{
		{kind: KindRequest, perSecond: spec.RequestsPerSecond, slots: make(chan struct{}, maxRequests), send: requests.send},
		{kind: KindMarker, perSecond: spec.WritesPerSecond, slots: make(chan struct{}, maxConnections), send: markers.send},
	} {
		g.clock, g.record = clock, record
		generators.Go(func() { g.run(ctx) })
	}
	generators.Wait()
	return record.close()
}

// clock tells the time of samples: the wall's when the client began, and from there on without jumps, so that the time
// between two samples is right even if the clock was set in between.
type clock struct{ began time.Time }

func newClock() clock { return clock{time.Now()} }

func (c clock) now() time.Time { return c.began.Add(time.Since(c.began)) }

// generator sends at a steady rate, whatever became of what it sent before.
type generator struct {
	kind      Kind
	perSecond int
	// slots has room for those in flight.
	slots  chan struct{}
	clock  clock
	record *recorder
	// send sends one, and returns the class of what went wrong or "". It ends by its own deadline.
	send func(ctx context.Context, seq int64) string
}

// mostBehind is how far a generator may fall behind its rate and still catch up. One that stood still for longer, with the
// whole machine, goes on from now: a burst would be a load of its own.
const mostBehind = time.Second

// run returns when ctx has ended and all that was sent is recorded.
func (g *generator) run(ctx context.Context) {
	if g.perSecond == 0 {
		return
	}
	interval := time.Second / time.Duration(g.perSecond)
	var flying sync.WaitGroup
	defer flying.Wait()
	// What is on its way when the client ends still gets its answer.
	unbroken := context.WithoutCancel(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := time.Now()
	for seq := int64(1); ; seq++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if ctx.Err() != nil { // both were ready
			return
		}
		sent := g.clock.now()
		select {
		case g.slots <- struct{}{}:
			flying.Go(func() {
				defer func() { <-g.slots }()
				class := g.send(unbroken, seq)
				g.note(seq, sent, class)
			})
		default:
			g.note(seq, sent, tooMany)
		}
		due = due.Add(interval)
		if behind := time.Since(due); behind > mostBehind {
			due = due.Add(behind)
		}
		timer.Reset(time.Until(due))
	}
}

func (g *generator) note(seq int64, sent time.Time, class string) {
	g.record.add(Sample{Kind: g.kind, Seq: seq, SentAt: sent.UnixNano(), Took: g.clock.now().Sub(sent), OK: class == "", Error: class})
}
