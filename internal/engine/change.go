package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-go/sluice/store"
)

// change is what is being made of an instance. It stands in the instance's record, which is
// pending meanwhile; whoever makes it raises the revision again and again. So others see
// whether it is still under way, whatever their clocks show.
type change struct {
	Kind changeKind `json:"kind"`
	// Owner is unique to who makes it; empty when nobody is at it.
	Owner string `json:"owner,omitempty"`
	// ID is the change's own, a UUID version 7, whoever makes it; empty when it has failed.
	ID string `json:"id,omitempty"`
	// Previous is the deployment before; nil for a first one.
	Previous *store.Instance `json:"previous,omitempty"`
}

type changeKind string

const (
	changeDeploy changeKind = "deploy"
	changePause  changeKind = "pause"
	changeResume changeKind = "resume"
	changeRemove changeKind = "remove"
)

// changeOf is the change that an instance is in; the zero one if it is in none.
func changeOf(record *store.Instance) (change, error) {
	var c change
	if !record.Pending || record.Change == nil {
		return c, nil
	}
	if err := json.Unmarshal(record.Change, &c); err != nil {
		return c, fmt.Errorf("what is being made of instance %s: %w", record.ID, err)
	}
	return c, nil
}

// encode is the change's form on record.
func (c change) encode() ([]byte, error) { return json.Marshal(c) }

// changeTries bounds how often a change starts over because another one came between.
const changeTries = 5

// makeChange makes a change of an instance with try, and again where another one comes between.
// A stop waits for it.
func (e *Engine) makeChange(instance string, try func() error) error {
	if !e.enterChange() {
		return ErrStopped
	}
	defer e.Leave()
	for range changeTries {
		if err := try(); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("instance %q is being changed elsewhere at the same time: %w", instance, store.ErrConflict)
}

// settled waits until nobody makes anything of the instance, and returns its record as it is
// then. One whose maker was not heard of for a lease is given up; who writes it then gets it.
func (e *Engine) settled(ctx context.Context, record *store.Instance) (*store.Instance, error) {
	ctx, unbind := e.untilStop(ctx)
	defer unbind()
	heard := time.Now()
	for {
		c, err := changeOf(record)
		if err != nil {
			return nil, err
		}
		if c.Owner == "" || time.Since(heard) >= e.options.Lease {
			return record, nil
		}
		pause(ctx, e.options.Lease/settlingPolls)
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		stored, err := e.options.Store.Instance(ctx, record.ID)
		if err != nil {
			return nil, err
		}
		if stored.Revision != record.Revision {
			heard = time.Now()
		}
		record = stored
	}
}

// settlingPolls is how often in a lease a change of others is looked at, pulses how often its
// maker shows that it lives.
const (
	settlingPolls = 30
	pulses        = 3
)

// making is a change that this process makes.
type making struct {
	engine *Engine
	change change

	mu     sync.Mutex
	stored *store.Instance // as this process last wrote or read it

	endPulse context.CancelFunc
	pulsed   chan struct{} // closed when the pulse has ended
}

// beginChange writes the next record as pending, over the current one, and keeps it alive until end
// is called. It returns store.ErrConflict if the current one was changed meanwhile.
func (e *Engine) beginChange(ctx context.Context, c change, current, next *store.Instance) (*making, error) {
	owner, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	c.Owner = owner.String()
	if c.ID == "" {
		c.ID = c.Owner
	}
	record := *next
	record.Pending = true
	if record.Change, err = c.encode(); err != nil {
		return nil, err
	}
	if err := e.putInstance(ctx, current, &record); err != nil {
		return nil, err
	}
	m := &making{engine: e, change: c, stored: &record, pulsed: make(chan struct{})}
	ctx, m.endPulse = context.WithCancel(context.WithoutCancel(ctx))
	go m.pulse(ctx)
	return m, nil
}

// pulse shows others that the change is under way, until its context ends.
func (m *making) pulse(ctx context.Context) {
	defer close(m.pulsed)
	for {
		pause(ctx, m.engine.options.Lease/pulses)
		if ctx.Err() != nil {
			return
		}
		if err := m.write(ctx, func(*store.Instance) {}); err != nil {
			m.engine.options.Logger.WarnContext(ctx, "keeping an instance's change alive failed", "instance", m.record().ID, "error", err)
			if errors.Is(err, store.ErrConflict) {
				return
			}
		}
	}
}

// record is that of the instance, as this process last wrote or read it.
func (m *making) record() *store.Instance {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stored
}

// end stops showing that the change is under way.
func (m *making) end() {
	m.endPulse()
	<-m.pulsed
}

// write writes the instance anew, over whatever else of it is written at the same time, such
// as its keys. It returns store.ErrConflict if another process has taken the change over.
func (m *making) write(ctx context.Context, apply func(record *store.Instance)) error {
	ctx = context.WithoutCancel(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		next := *m.stored
		apply(&next)
		err := m.engine.putInstance(ctx, m.stored, &next)
		if err == nil {
			m.stored = &next
		}
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		stored, err := m.engine.options.Store.Instance(ctx, m.stored.ID)
		if err != nil {
			return err
		}
		if c, err := changeOf(stored); err != nil || c.Owner != m.change.Owner || stored.Revision == m.stored.Revision {
			return fmt.Errorf("instance %s is being changed elsewhere: %w", stored.ID, store.ErrConflict)
		}
		m.stored = stored
	}
}

// abandon leaves the change to whoever makes it next.
func (m *making) abandon(ctx context.Context) error {
	c := m.change
	c.Owner = ""
	encoded, err := c.encode()
	if err != nil {
		return err
	}
	return m.write(ctx, func(record *store.Instance) { record.Change = encoded })
}

// conclude ends the change.
func (m *making) conclude(ctx context.Context, apply func(record *store.Instance)) error {
	return m.write(ctx, func(record *store.Instance) {
		record.Pending, record.Change = false, nil
		apply(record)
	})
}
