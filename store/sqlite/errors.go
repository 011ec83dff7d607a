package sqlite

import (
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite"
	sqlite3lib "modernc.org/sqlite/lib"

	"github.com/sluice-go/sluice/store"
)

// code returns SQLite's primary result code of an error, or 0.
func code(err error) int {
	if failure, ok := errors.AsType[*sqlite3.Error](err); ok {
		return failure.Code() & 0xff
	}
	return 0
}

// unavailable marks an error of the disk or the file as [store.ErrUnavailable].
func unavailable(err error) error {
	switch code(err) {
	case sqlite3lib.SQLITE_FULL, sqlite3lib.SQLITE_IOERR, sqlite3lib.SQLITE_READONLY,
		sqlite3lib.SQLITE_CANTOPEN, sqlite3lib.SQLITE_BUSY, sqlite3lib.SQLITE_LOCKED,
		sqlite3lib.SQLITE_NOMEM, sqlite3lib.SQLITE_PERM, sqlite3lib.SQLITE_CORRUPT,
		sqlite3lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	default:
		return err
	}
}

// violated tells whether err refused a row because of a unique key.
func violated(err error) bool { return code(err) == sqlite3lib.SQLITE_CONSTRAINT }

// refused tells whether err concerns one write only: the transaction goes on without it.
func refused(err error) bool {
	return errors.Is(err, store.ErrStateConflict) || errors.Is(err, store.ErrStateTooLarge) ||
		errors.Is(err, store.ErrStateType) || errors.Is(err, store.ErrConflict) ||
		errors.Is(err, store.ErrNotFound)
}

// explainOpen says what is wrong with a file that cannot be opened, and what to do.
func explainOpen(path string, err error) error {
	switch code(err) {
	case sqlite3lib.SQLITE_NOTADB:
		return fmt.Errorf("store: %s is not an SQLite database: choose another file: %w", path, err)
	case sqlite3lib.SQLITE_CORRUPT:
		return fmt.Errorf("store: %s is corrupt: restore it from a backup, or recover it with the sqlite3 shell (.recover): %w", path, err)
	case sqlite3lib.SQLITE_READONLY, sqlite3lib.SQLITE_PERM:
		return fmt.Errorf("store: %s is read-only: make the file and its directory writable: %w", path, err)
	case sqlite3lib.SQLITE_CANTOPEN:
		return fmt.Errorf("store: %s cannot be opened: its directory must exist and be writable: %w", path, err)
	default:
		return fmt.Errorf("store: open %s: %w", path, err)
	}
}
