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

// sample takes the footprint, after normal requests so that the collector has reason to run.
func sample(t *testing.T, c *child) footprint {
	t.Helper()
	for n := range 20 {
		require.NoError(t, c.normal(n))
	}
	c.client.CloseIdleConnections()
	return footprintOf(t, c.cmd.Process.Pid)
}

// checkFootprint runs the work and requires that the process then holds as many files as
// before, and at most a tenth more memory. Memory goes up and down with the collector: before
// it is the most of several samples, and so are the files the least, without connections
// that were about to close.
func checkFootprint(t *testing.T, c *child, work func()) {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	before := sample(t, c)
	for range 20 {
		<-ticker.C
		now := sample(t, c)
		before = footprint{rss: max(before.rss, now.rss), files: min(before.files, now.files)}
	}
	work()
	after := sample(t, c)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-ticker.C {
		if after.files == before.files && after.rss <= before.rss*11/10 {
			break
		}
		after = sample(t, c)
	}
	t.Logf("memory %d -> %d kB, files %d -> %d", before.rss>>10, after.rss>>10, before.files, after.files)
	require.LessOrEqual(t, after.rss, before.rss*11/10, "resident memory")
	require.Equal(t, before.files, after.files, "file descriptors")
}
