package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// footprint is what a process holds of the machine.
type footprint struct{ rss, files int }

func footprintOf(t *testing.T, pid int) footprint {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, line, found := bytes.Cut(status, []byte("VmRSS:"))
	require.True(t, found)
	var kilobytes int
	_, err = fmt.Sscan(string(line), &kilobytes)
	require.NoError(t, err)
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	require.NoError(t, err)
	return footprint{rss: kilobytes << 10, files: len(files)}
}

// settled polls the footprint, with normal requests in between so that the collector has
// reason to run, until it is good or the time is over. It returns the last one.
func settled(t *testing.T, c *child, good func(footprint) bool) footprint {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-ticker.C {
		for n := range 20 {
			require.NoError(t, c.normal(n))
		}
		c.client.CloseIdleConnections()
		now := footprintOf(t, c.cmd.Process.Pid)
		if good(now) || time.Now().After(deadline) {
			return now
		}
	}
}

// checkFootprint runs the work and requires that the process holds as many files as before,
// and at most a tenth more memory.
func checkFootprint(t *testing.T, c *child, work func()) {
	t.Helper()
	var least footprint
	before := settled(t, c, func(now footprint) bool {
		calm := now.files == least.files && now.rss > least.rss*99/100 && now.rss < least.rss*101/100
		least = now
		return calm
	})
	work()
	after := settled(t, c, func(now footprint) bool { return now.files == before.files && now.rss <= before.rss*11/10 })
	t.Logf("memory %d -> %d kB, files %d -> %d", before.rss>>10, after.rss>>10, before.files, after.files)
	require.Equal(t, before.files, after.files, "file descriptors")
	require.LessOrEqual(t, after.rss, before.rss*11/10, "resident memory")
}
