package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Store is a store in one SQLite file, or in memory. Make it with [Open].
type Store struct {
	path   string
	limits limits
	lock   *os.File // nil in memory
	// readers is nil in memory, where everything goes over the one connection.
	readers *sql.DB
	queries queries
	writer  *sql.DB
	conn    *connection
	inbox   inbox
	queue   *queue
	ends    ends
	stopped chan struct{}
	ending  sync.Once
	ended   error

	// What follows belongs to the goroutine that commits.

	statements *statements
	// seq is that of the latest acceptance, committed that of the latest commit. mark and
	// recent say what pending does not know: every execution up to the mark is over or
	// pending, and recent are the seats since.
	seq, committed, mark int64
	recent               []*seat
	// parking are the seats that become pending in the transaction under way, which moves
	// the mark to parkedTo.
	parking  []*seat
	parkedTo int64
	// found is the latest seq that Open found; died is the same if the previous owner did
	// not close the store, else 0.
	found, died int64
	// nextDue is when the first waiting execution runs again; zero if none waits.
	nextDue   time.Time
	schedules schedules
}

var _ store.Store = (*Store)(nil)

// connection is the one that writes; who uses it holds the lock.
type connection struct {
	sync.Mutex
	*sql.Conn
}

// Open opens the store in the file at path and creates it if it is not there; ":memory:"
// is a store that ends with Close. The file belongs to this store until Close or the end
// of the process: it is locked by a second file, path.lock. The schema is brought up to
// date.
//
// ctx bounds Open only.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, defaultLimits)
}

func open(ctx context.Context, path string, limits limits) (*Store, error) {
	s := &Store{
		path: path, limits: limits, stopped: make(chan struct{}),
		inbox: inbox{signal: make(chan struct{}, 1)}, ends: ends{ends: map[string]*end{}},
	}
	s.queue = newQueue(limits, s.inbox.wake)
	if err := s.open(ctx); err != nil {
		_ = s.release()
		return nil, err
	}
	go s.run() //nolint:contextcheck // The loop outlives Open: Close ends it.
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if s.path != inMemory {
		path, err := resolve(s.path)
		if err != nil {
			return err
		}
		s.path = path
		if s.lock, err = lock(path); err != nil {
			return err
		}
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, s.conn.Conn, s.path); err != nil {
		return err
	}
	var err error
	if s.statements, err = prepare(ctx, s.conn.Conn); err != nil {
		return explainOpen(s.path, err)
	}
	if err := s.recover(ctx); err != nil {
		return explainOpen(s.path, err)
	}
	return nil
}

// Close commits what is under way and releases the file. Calls that come later, and claims
// that wait, return [store.ErrClosed].
func (s *Store) Close() error {
	s.ending.Do(func() {
		s.inbox.close()
		<-s.stopped
		s.queue.close()
		s.ends.close()
		s.conn.Lock()
		defer s.conn.Unlock()
		err := s.settle()
		if releaseErr := s.release(); err == nil {
			err = releaseErr
		}
		if err != nil {
			s.ended = fmt.Errorf("store: close %s: %w", s.path, err)
		}
	})
	return s.ended
}

// release closes what open opened.
func (s *Store) release() error {
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	keep(s.queries.close())
	if s.readers != nil {
		keep(s.readers.Close())
	}
	if s.statements != nil {
		keep(s.statements.close())
	}
	if s.conn != nil {
		keep(s.conn.Close())
	}
	if s.writer != nil {
		keep(s.writer.Close())
	}
	if s.lock != nil {
		keep(s.lock.Close())
	}
	return first
}

// Durability returns the journal mode and the synchronous level of the live writing
// connection: "wal" and "full" for a file. Tests of durability assert them.
func (s *Store) Durability(ctx context.Context) (journalMode, synchronous string, err error) {
	s.conn.Lock()
	defer s.conn.Unlock()
	var level int
	err = s.conn.QueryRowContext(ctx, "SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous").
		Scan(&journalMode, &level)
	if err != nil {
		return "", "", fmt.Errorf("store: read the settings of %s: %w", s.path, err)
	}
	return journalMode, [...]string{"off", "normal", "full", "extra"}[level&3], nil
}
