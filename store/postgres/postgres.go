package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sluice-go/sluice/store"
)

// Store is a store in a PostgreSQL database. Make it with [Open].
type Store struct {
	// pool is for writes, readers for reads: they do not wait for each other's connections.
	pool, readers *pgxpool.Pool
	config        *pgx.ConnConfig
	inbox         inbox
	leases        leases
	turns         turns
	ends          ends
	tell          teller
	// ready and due wake those who wait for executions and for schedules, changed those who
	// cache instances.
	ready, due, changed broadcast
	// upkeep has room for one: it has the upkeep look at everything.
	upkeep chan struct{}
	// running ends with Close, or a crash that a test makes.
	running context.Context //nolint:containedctx // It is the life of the store.
	end     context.CancelCauseFunc
	loops   sync.WaitGroup
	ending  sync.Once
	ended   error
}

var _ interface {
	store.Store
	store.Watcher
} = (*Store)(nil)

// Open opens the store in the database that dsn names, a URL or a list of keywords and
// values (see [pgxpool.ParseConfig]). Its tables stand in the schema sluice, which Open
// makes, for which the user needs the right to create schemas, and brings up to date. A
// database with a newer schema than this program knows is refused.
//
// ctx bounds Open only.
func Open(ctx context.Context, dsn string) (*Store, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("store: the address of PostgreSQL: %w", err)
	}
	configure(config)
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	s := &Store{
		turns: turns{gate: newGate()}, leases: leases{gate: newGate()},
		config: config.ConnConfig.Copy(), inbox: inbox{signal: make(chan struct{}, 1)}, upkeep: make(chan struct{}, 1),
		tell: teller{origin: id.String(), signal: make(chan struct{}, 1)},
	}
	if err := s.open(ctx, config); err != nil {
		s.close()
		return nil, fmt.Errorf("store: open the database %s on %s: %w", config.ConnConfig.Database, config.ConnConfig.Host, unavailable(err))
	}
	s.start() // What runs outlives Open: Close ends it.
	return s, nil
}

// minConns are so many that a claim, the upkeep and commits do not wait for each other.
const minConns = 7

// configure sets what the guarantees rest on, whatever the server's defaults are.
func configure(config *pgxpool.Config) {
	parameters := config.ConnConfig.RuntimeParams
	parameters["search_path"] = schema
	parameters["synchronous_commit"] = "on"
	parameters["default_transaction_isolation"] = "read committed"
	// A process that stands still in the middle of a transaction gives up its locks.
	parameters["idle_in_transaction_session_timeout"] = "5000"
	// Statements are planned once, when tables may be empty: none may read one from end to end.
	// Where nothing else is possible that counts as so costly that the server would compile it.
	parameters["enable_seqscan"], parameters["jit"] = "off", "off"
	config.MaxConns = max(config.MaxConns, minConns)
}

func (s *Store) open(ctx context.Context, config *pgxpool.Config) error {
	var err error
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	if s.readers, err = pgxpool.NewWithConfig(ctx, config.Copy()); err != nil {
		return err
	}
	return s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return migrate(ctx, conn.Conn()) })
}

func (s *Store) start() {
	s.running, s.end = context.WithCancelCause(context.Background())
	for _, loop := range []func(){s.keepUp, s.listen, s.notify} {
		s.loops.Go(loop)
	}
	for range committers {
		s.loops.Go(s.write)
	}
}

// close closes what open opened.
func (s *Store) close() {
	if s.readers != nil {
		s.readers.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
}

// Close commits what is under way, gives the claims of this process back, which is no death
// of theirs, and closes the connections. Calls that come later, and those that wait, return
// [store.ErrClosed].
func (s *Store) Close() error {
	s.ending.Do(func() {
		s.stop()
		if err := s.giveBack(); err != nil && !errors.Is(err, store.ErrUnavailable) {
			s.ended = fmt.Errorf("store: close: %w", err)
		}
		s.close()
	})
	return s.ended
}

// stop ends all loops and waiting calls.
func (s *Store) stop() {
	s.inbox.close()
	s.end(store.ErrClosed)
	s.loops.Wait()
}

// closed returns ErrClosed once the store is closing.
func (s *Store) closed() error {
	if s.running.Err() != nil {
		return store.ErrClosed
	}
	return nil
}

// within runs fn with a context that ends with ctx or the store, and says which of them
// was the reason of an error.
func (s *Store) within(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.running, func() { cancel(store.ErrClosed) })() //nolint:contextcheck // The second life that fn has to end with.
	err := fn(both)
	switch {
	case err == nil:
		return nil
	case s.running.Err() != nil:
		return store.ErrClosed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return unavailable(err)
	}
}
