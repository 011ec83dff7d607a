package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sluice-go/sluice/store"
)

// maxVersions bounds the instances whose version memory knows.
const maxVersions = 100_000

// open tells whether what belongs to an instance may be claimed for the worker: it is not
// paused, and deployed in a version that the worker serves.
func (q *queue) open(instance string, worker store.Worker) bool {
	return !q.paused[instance] && worker.Has(q.versions[instance])
}

// knows tells whether memory knows in which version an instance is deployed.
func (q *queue) knows(instance string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.versions[instance]
	return ok
}

// deployed tells memory in which version an instance is deployed: the zero one if it is not
// there.
func (q *queue) deployed(instance string, version store.IntegrationVersion) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.versions) >= maxVersions {
		clear(q.versions)
	}
	q.versions[instance] = version
	t := q.tenants[instance]
	if t == nil || t.version == version {
		return
	}
	if t.inTurn {
		q.leaveRound(t)
	}
	t.version = version
	q.enterTenant(t)
	q.wakeAll()
}

// forgetVersions has them read again: what was learned in a transaction that was taken back
// may not be true.
func (q *queue) forgetVersions() {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.versions)
}

// learn has memory know in which version an instance is deployed, before something of it is
// there to be claimed.
func (s *Store) learn(ctx context.Context, instance string) error {
	if s.queue.knows(instance) {
		return nil
	}
	var version store.IntegrationVersion
	err := s.statements.version.QueryRowContext(ctx, instance).Scan(&version.Integration, &version.Version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	s.queue.deployed(instance, version)
	return nil
}
