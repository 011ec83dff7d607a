package engine

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/host"
)

// unit is what user code runs in: one try of the flow, or of a step of it, or a loop. It is
// what calls on the run reach (host.Run): steps are counted within it, so that what happens
// inside a step shifts no other one, whether it runs or is on record.
type unit struct {
	x *execution
	// prefix begins the keys of its steps.
	prefix string
	// state holds the changes of state that are made in it.
	state *stateBuffer

	mu sync.Mutex
	// seen counts how often a label was met, running tells which are under way.
	seen    map[label]int
	running map[label]bool
}

// inner is a unit for what runs under the key: a step, or a loop, which has no state apart.
func (u *unit) inner(key string, state *stateBuffer) *unit {
	return &unit{x: u.x, prefix: key + "/", state: state}
}

// ConfigVar implements host.Run.
func (u *unit) ConfigVar(key string) (any, bool) { return u.x.configVar(key) }

// ready tells why a durable call cannot begin.
func (u *unit) ready(ctx context.Context) error {
	if !u.x.executing {
		return sluice.ErrNotAccepted
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if _, suspended := u.x.wakeTime(); suspended {
		return sluice.ErrSuspended
	}
	return nil
}

// label is what a durable unit is called: its kind, which is empty for steps and loops, and
// the author's name for it. In the journal it stands for itself if it is keyed, else with how
// often it has occurred.
type label struct {
	kind, text string
	keyed      bool
}

// stepLabel names a step by its name, and its key if it has one.
func stepLabel(step host.Step) label {
	if step.Key == "" {
		return label{text: strconv.Quote(step.Name)}
	}
	return label{text: strconv.Quote(step.Name) + " " + strconv.Quote(step.Key), keyed: true}
}

// enter finds the key of a durable unit, which counts as running until leave.
func (u *unit) enter(l label) (key string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.running[l] {
		return "", fmt.Errorf("%s: %w", l.text, sluice.ErrAmbiguousStep)
	}
	if l.keyed && u.seen[l] > 0 {
		return "", fmt.Errorf("%s: its key occurs twice: %w", l.text, sluice.ErrAmbiguousStep)
	}
	if u.seen == nil {
		u.seen, u.running = map[label]int{}, map[label]bool{}
	}
	u.seen[l]++
	u.running[l] = true
	return u.key(l, u.seen[l]), nil
}

// key is that of the n-th durable unit with the label.
func (u *unit) key(l label, n int) string {
	key := l.kind + u.prefix + l.text
	if l.keyed {
		return key
	}
	return key + " " + strconv.Itoa(n)
}

// next is the key that a durable unit with the label would have that began now.
func (u *unit) next(l label) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.key(l, u.seen[l]+1)
}

// leave ends the running of a durable unit. One that came to no end did not occur: tried
// again in this attempt or a later one, it has the same key.
func (u *unit) leave(l label, occurred bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.running, l)
	if !occurred {
		u.seen[l]--
	}
}

// Loop implements host.Run. Steps inside are counted anew.
func (u *unit) Loop(ctx context.Context, loop host.Step, run func(context.Context) error) (err error) {
	if err := u.ready(ctx); err != nil {
		return err
	}
	l := stepLabel(loop)
	key, err := u.enter(l)
	if err != nil {
		return fmt.Errorf("loop %w", err)
	}
	err = errGoexit
	defer func() { u.leave(l, err == nil) }()
	err = run(host.NewContext(ctx, u.inner(key, u.state)))
	return err
}
