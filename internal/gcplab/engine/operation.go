package engine

import (
	"fmt"
	"time"
)

// Operation is work that goes on after the request that began it was answered.
type Operation struct {
	// ID is its name without what precedes it.
	ID string
	// Call is the request that began it.
	Call *Call
	// Target is the full name of the object that it works on.
	Target string
	// Start and End are when it begins and when it is over.
	Start, End time.Time
	// Err is how it failed, nil if it did not or is not over.
	Err *Error
	// Response is what some services give when it is over: the object.
	Response Object

	done   bool
	finish func()
}

// Done says whether it is over.
func (o *Operation) Done() bool { return o.done }

// Begin starts an operation on target that takes as long as operations do here. Once it is over, it calls succeed; if a
// fault lets it fail, it calls undo. Both run while the cloud is locked, and either may be nil.
func (c *Call) Begin(target string, succeed, undo func()) *Operation {
	now := c.Cloud.clock()
	c.Cloud.serial++
	operation := &Operation{
		ID:     fmt.Sprintf("operation-%d-%06d", now.UnixMilli(), c.Cloud.serial),
		Call:   c,
		Target: target,
		Start:  now,
		End:    now.Add(c.Cloud.operationTime),
	}
	if c.fault != nil {
		operation.End = operation.End.Add(c.fault.Delay)
	}
	operation.finish = func() {
		if c.fault != nil && c.fault.Operation {
			operation.Err = c.fault.error()
			if undo != nil {
				undo()
			}
			return
		}
		if succeed != nil {
			succeed()
		}
		if entry := c.Cloud.objects[target]; entry != nil {
			operation.Response = entry.Data
		}
	}
	c.Cloud.operations[operation.ID] = operation
	c.Cloud.running = append(c.Cloud.running, operation)
	return operation
}

// Busy returns an operation that is not over and works on target or on something within it, nil if there is none.
func (c *Cloud) Busy(target string) *Operation {
	for _, operation := range c.running {
		if within(operation.Target, target) {
			return operation
		}
	}
	return nil
}

// settle ends the operations whose time has come, in the order of their ends.
func (c *Cloud) settle() {
	now := c.clock()
	for {
		next := -1
		for i, operation := range c.running {
			if !operation.End.After(now) && (next < 0 || operation.End.Before(c.running[next].End)) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		operation := c.running[next]
		c.running = append(c.running[:next], c.running[next+1:]...)
		operation.done = true
		operation.finish()
	}
}

// operation returns the one that the call asks for.
func (c *Call) operation() (*Operation, error) {
	id := c.Path[len(c.Path)-1]
	if c.Method.Verb() == "wait" {
		id = c.Parameters[c.operationParameter()]
	}
	operation := c.Cloud.operations[id]
	if operation == nil || operation.Call.Service != c.Service {
		return nil, c.Service.NotFound(c, c.Name())
	}
	return operation, nil
}

func (c *Call) operationParameter() string {
	for name := range c.Parameters {
		if name == "operation" || name == "operationsId" {
			return name
		}
	}
	return ""
}

// longPoll is for how long a request for a running operation is held. Google answers at once, or with `wait` after two
// minutes at most; the provider then asks again after ten seconds, which would make ten seconds of each operation here.
const longPoll = 2 * time.Second
