package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
)

// deduplicate takes the acceptance's key for its execution, or returns the id of the
// execution that has it. A key past its window is taken over; with each that is written, up
// to two past ones are removed, so that they never pile up.
func (s *Store) deduplicate(w *accept) (first string, err error) {
	ctx, now := context.Background(), encodeTime(w.Execution.AcceptedAt)
	key := dedupeKey(w.Execution.Instance, w.Execution.Flow, w.DedupeKey)
	result, err := s.statements.dedupe.ExecContext(ctx, key, encodeTime(w.DedupeUntil), w.id, now)
	if err != nil {
		return "", err
	}
	written, err := result.RowsAffected()
	if err != nil {
		return "", err
	}
	if written == 0 {
		var id []byte
		if err := s.statements.duplicate.QueryRowContext(ctx, key).Scan(&id); err != nil {
			return "", err
		}
		return decodeID(id)
	}
	_, err = s.statements.purge.ExecContext(ctx, now)
	return "", err
}

// dedupeKey is a hash of the parts and their lengths: a short key keeps the index small.
func dedupeKey(parts ...string) []byte {
	hash := sha256.New()
	for _, part := range parts {
		_ = binary.Write(hash, binary.BigEndian, uint64(len(part)))
		_, _ = hash.Write([]byte(part))
	}
	return hash.Sum(nil)[:16]
}
