package postgres

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is what processes listen to.
const channel = "sluice"

// What a message says has changed, beside the executions that are over.
const (
	toldReady     = "r" // Executions are ready.
	toldSchedules = "s" // Schedules may be due.
	toldInstances = "i" // Instances were written.
	toldUpkeep    = "u" // The upkeep has something to do.
)

// maxMessage is less than what PostgreSQL takes.
const maxMessage = 7900

// teller gathers what other processes are to be told. A message goes out after the commit
// that it is about, and is lost if the process dies in between.
type teller struct {
	// origin begins each message of this process, which does not listen to itself.
	origin string
	mu     sync.Mutex
	kinds  map[string]bool
	over   []string
	signal chan struct{}
}

// add adds to the next message.
func (t *teller) add(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kinds == nil {
		t.kinds = map[string]bool{}
	}
	t.kinds[kind] = true
}

func (t *teller) addOver(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = append(t.over, id)
}

// send has the next message go out.
func (t *teller) send() {
	select {
	case t.signal <- struct{}{}:
	default:
	}
}

// messages takes what is to be said out.
func (t *teller) messages() (messages []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kinds := ""
	for kind := range t.kinds {
		kinds += kind
	}
	over := t.over
	t.kinds, t.over = nil, nil
	for kinds != "" || len(over) > 0 {
		message := t.origin + " " + kinds + " "
		n := min(len(over), (maxMessage-len(message))/(idLength+1))
		messages = append(messages, message+strings.Join(over[:n], ","))
		kinds, over = "", over[n:]
	}
	return messages
}

const idLength = 36

// sendMessages does not wait for the disk, where there is nothing of a message.
const sendMessages = `SELECT pg_notify($1, message) FROM unnest($2::text[]) AS message, set_config('synchronous_commit', 'off', true)`

// notify sends messages until the store is closed.
func (s *Store) notify() {
	for {
		select {
		case <-s.tell.signal:
		case <-s.running.Done():
			return
		}
		messages := s.tell.messages()
		if len(messages) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(s.running, time.Second)
		// What is not sent, polling finds.
		_, _ = s.pool.Exec(ctx, sendMessages, channel, messages)
		cancel()
	}
}

// listen hears messages until the store is closed.
func (s *Store) listen() {
	for s.running.Err() == nil {
		_ = s.hear()
		sleep(s.running, poll)
	}
}

// hear listens on a connection of its own until that breaks. What was said before is not
// known, so it wakes everybody.
func (s *Store) hear() error {
	conn, err := pgx.ConnectConfig(s.running, s.config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(s.running, "LISTEN "+channel); err != nil {
		return err
	}
	s.heard(toldReady + toldSchedules + toldInstances + toldUpkeep)
	s.ends.look()
	for {
		notification, err := conn.WaitForNotification(s.running)
		if err != nil {
			return err
		}
		origin, rest, _ := strings.Cut(notification.Payload, " ")
		kinds, over, _ := strings.Cut(rest, " ")
		if origin == s.tell.origin {
			continue
		}
		s.heard(kinds)
		if over != "" {
			for id := range strings.SplitSeq(over, ",") {
				s.ends.over(id)
			}
		}
	}
}

// heard wakes those whom a message concerns.
func (s *Store) heard(kinds string) {
	for _, kind := range kinds {
		switch string(kind) {
		case toldReady:
			s.ready.wake()
		case toldSchedules:
			s.due.wake()
		case toldInstances:
			s.changed.wake()
		case toldUpkeep:
			s.lookNow()
		}
	}
}

// say wakes those whom a change concerns, here and, with the next message, elsewhere.
func (s *Store) say(kind string) {
	s.heard(kind)
	s.tell.add(kind)
}

// sayOver wakes those who wait for an execution.
func (s *Store) sayOver(id string) {
	s.ends.over(id)
	s.tell.addOver(id)
}

// lookNow has the upkeep look at everything.
func (s *Store) lookNow() {
	select {
	case s.upkeep <- struct{}{}:
	default:
	}
}
