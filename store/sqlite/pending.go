package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// pendingColumns are what scanPending scans.
const pendingColumns = "instance, lane, seq, lane_limit, size, kept, recovered, deaths, crashes, canceled"

// atOnce is due, but stands for an execution that does not wait.
const atOnce = 1

// scanPending scans pendingColumns and what follows them.
func (s *Store) scanPending(rows *sql.Rows, more ...any) (*seat, error) {
	seat := &seat{parked: true}
	err := rows.Scan(append([]any{
		&seat.instance, &seat.lane, &seat.seq, &seat.limit, &seat.payload, &seat.kept, &seat.recovered, &seat.deaths, &seat.crashes,
		&seat.canceled,
	}, more...)...)
	seat.recovered = seat.recovered || seat.seq <= s.found
	return seat, err
}

// pend writes the seat's row: it is ready, or waits until due and may keep its seat in the
// lane.
func (s *Store) pend(seat *seat, due time.Time, kept bool) error {
	at := sql.NullInt64{Int64: encodeTime(due), Valid: !due.IsZero()}
	_, err := s.statements.pend.ExecContext(context.Background(), seat.instance, seat.lane, seat.seq, seat.limit, seat.payload, at,
		kept, seat.recovered, seat.deaths, seat.crashes)
	return err
}

func (s *Store) unpend(seat *seat) error {
	_, err := s.statements.unpend.ExecContext(context.Background(), seat.instance, seat.lane, seat.seq)
	return err
}

func (s *Store) setCrashes(seat *seat, deaths, crashes int) error {
	_, err := s.statements.crashes.ExecContext(context.Background(), deaths, crashes, seat.instance, seat.lane, seat.seq)
	return err
}
