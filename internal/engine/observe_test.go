package engine

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLogBufferIsNotSharedWithItsRecord: a line that comes after the record was made must
// not stand in it, nor be overwritten by it.
func TestLogBufferIsNotSharedWithItsRecord(t *testing.T) {
	t.Parallel()
	b := &logBuffer{}
	for range 3 { // The list has room for one more.
		b.add(&logLine{Message: "kept"})
	}
	b.add(&logLine{Message: strings.Repeat("x", maxLogBytes)})
	recorded, late := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(late)
		<-recorded
		b.add(&logLine{Message: "late"})
	}()
	require.Contains(t, string(b.encode()), "1 more lines were not kept")
	spare := b.lines[:cap(b.lines)]
	require.Nil(t, spare[3], "the record was written into the buffer")
	close(recorded)
	<-late
	require.Contains(t, string(b.encode()), "late")
}

// TestTakeLosesNoLine takes from the buffer while lines come in.
func TestTakeLosesNoLine(t *testing.T) {
	t.Parallel()
	const writers, each = 4, 200
	b := &logBuffer{}
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range each {
				b.add(&logLine{Message: "m"})
			}
		})
	}
	written := make(chan struct{})
	go func() {
		group.Wait()
		close(written)
	}()
	taken := 0
	take := func() {
		var lines []logLine
		if data := b.take(); data != nil {
			require.NoError(t, json.Unmarshal(data, &lines))
		}
		taken += len(lines)
	}
	for done := false; !done; take() {
		select {
		case <-written:
			done = true
		default:
		}
	}
	require.Equal(t, writers*each, taken)
}
