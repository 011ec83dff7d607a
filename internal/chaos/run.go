//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// run lives through both settings and prints their sum.
func run(ctx context.Context, length time.Duration, seed uint64, postgres string) error {
	fmt.Fprintf(os.Stdout, "seed: %d\n", seed)
	folder, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return err
	}
	sum, err := live(ctx, setting{"sqlite", filepath.Join(folder, "chaos.db"), 1}, folder, length, seed)
	if err != nil {
		return err
	}
	if postgres == "" {
		server, url, err := startPostgres(ctx)
		if err != nil {
			return err
		}
		defer server.Close()
		postgres = url
	}
	many, err := live(ctx, setting{"postgres", postgres, 3}, folder, length, seed)
	if err != nil {
		return err
	}
	sum.add(many)
	sum.print(os.Stdout)
	if err := sum.verdict(); err != nil {
		return fmt.Errorf("%w: what the workers noted is in %s", err, folder)
	}
	return os.RemoveAll(folder)
}

// setting is a database, and how many processes work on it.
type setting struct {
	name, database string
	workers        int
}

// live puts the setting under load while its workers are killed, waits until all that was
// accepted is over, and counts.
func live(ctx context.Context, s setting, parent string, length time.Duration, seed uint64) (*tally, error) {
	folder := filepath.Join(parent, s.name)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	f := &fleet{database: s.database, folder: folder, workers: make([]*worker, s.workers), gone: map[int]time.Time{}}
	defer f.stop()
	for place := range s.workers {
		if err := f.start(ctx, place); err != nil {
			return nil, err
		}
	}
	l := &load{fleet: f, client: &http.Client{Timeout: 5 * time.Second}, accepted: map[string]order{}}
	if err := trouble(ctx, f, l, length, seed); err != nil {
		return nil, err
	}
	f.stop()
	records, done, err := settle(ctx, s, folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	notes, err := readNotes(folder)
	if err != nil {
		return nil, err
	}
	t := count(&evidence{accepted: l.accepted, records: records, notes: notes, gone: f.gone, done: done})
	t.kills = f.kills
	fmt.Fprintf(os.Stdout, "%s: %d workers, accepted %d, kills %d\n", s.name, s.workers, t.accepted, t.kills)
	return t, nil
}

// trouble sends load for the length, and kills workers meanwhile; where there are several it
// also pauses some.
func trouble(ctx context.Context, f *fleet, l *load, length time.Duration, seed uint64) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { l.run(ctx, seed) })
	random := rand.New(rand.NewPCG(seed, 1<<32)) //nolint:gosec // Reproducible on purpose.
	var err error
	for err == nil && pause(ctx, time.Duration(300+random.IntN(1500))*time.Millisecond) == nil {
		place := random.IntN(len(f.workers))
		// The worker's life does not end with the load.
		if len(f.workers) > 1 && random.IntN(4) == 0 {
			err = f.freeze(context.WithoutCancel(ctx), place)
		} else {
			err = f.kill(context.WithoutCancel(ctx), place)
		}
	}
	cancel()
	all.Wait()
	return err
}

// settleLimit bounds how long the rest takes.
const settleLimit = 2 * time.Minute

// settle runs what is left in this process, and returns all records and what the flows'
// states count.
func settle(ctx context.Context, s setting, folder string) (records []*store.Record, done map[string]int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, settleLimit, errors.New("something does not come to its end"))
	defer cancel()
	db, err := open(ctx, s.database)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	notes, err := os.Create(filepath.Join(folder, fmt.Sprintf("notes-%d", os.Getpid())))
	if err != nil {
		return nil, nil, err
	}
	defer notes.Close()
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{definition(&notebook{notes})}, Store: db, Lease: lease,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	if err := rt.Start(ctx); err != nil {
		return nil, nil, err
	}
	records, err = finalRecords(ctx, db)
	if err = errors.Join(err, rt.Stop(context.WithoutCancel(ctx))); err != nil {
		return nil, nil, err
	}
	done, err = doneCounts(ctx, db, records)
	return records, done, err
}

// finalRecords waits until every execution is over.
func finalRecords(ctx context.Context, db store.Store) ([]*store.Record, error) {
	for {
		records, err := allRecords(ctx, db)
		if err != nil {
			return nil, err
		}
		over := true
		for _, r := range records {
			if r.Status.Final() {
				continue
			}
			over = false
			if _, err := db.Await(ctx, r.ID); err != nil {
				return nil, fmt.Errorf("execution %s is %s: %w", r.ID, r.Status, err)
			}
		}
		if over {
			return records, nil
		}
	}
}

func allRecords(ctx context.Context, db store.Store) ([]*store.Record, error) {
	const page = 1000
	var all []*store.Record
	for after := ""; ; after = all[len(all)-1].ID {
		records, err := db.Executions(ctx, store.Filter{}, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
		if len(records) < page {
			return all, nil
		}
	}
}
