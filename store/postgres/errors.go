package postgres

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sluice-go/sluice/store"
)

// code returns PostgreSQL's code of an error, or nothing.
func code(err error) string {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.Code
	}
	return ""
}

// violated tells whether err refused a row because of a unique key.
func violated(err error) bool { return code(err) == "23505" }

// collided tells whether a transaction failed because of others at the same time: the same
// again may succeed.
func collided(err error) bool { return code(err) == "40001" || code(err) == "40P01" }

// disconnected tells whether the connection is gone: what became of a transaction that was
// being committed is not known.
func disconnected(err error) bool {
	switch c := code(err); {
	case strings.HasPrefix(c, "08"), strings.HasPrefix(c, "57P"), c == "25P03": // 25P03: we were too slow.
		return true
	case c != "":
		return false
	}
	_, network := errors.AsType[net.Error](err)
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return network || connecting || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// unavailable marks an error of the connection or the server as [store.ErrUnavailable].
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	c := code(err)
	switch {
	case disconnected(err), collided(err),
		strings.HasPrefix(c, "53"), // Disk full, out of memory, too many connections.
		strings.HasPrefix(c, "58"), // The system failed.
		c == "25006", c == "55P03": // The server only reads, or a lock cannot be had.
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	default:
		return err
	}
}

// refused tells whether err concerns one write only: the transaction goes on without it.
func refused(err error) bool {
	return errors.Is(err, store.ErrStateConflict) || errors.Is(err, store.ErrStateTooLarge) ||
		errors.Is(err, store.ErrStateType) || errors.Is(err, store.ErrConflict)
}
