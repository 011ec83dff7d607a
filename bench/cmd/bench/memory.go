package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// residentMemory is what this process holds of the machine's memory, garbage apart: as the system counts it where it
// tells, as Go does elsewhere.
func residentMemory() int64 {
	debug.FreeOSMemory()
	var all, resident int64
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if _, err := fmt.Sscan(string(statm), &all, &resident); err == nil {
			return resident * int64(os.Getpagesize())
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.Sys - stats.HeapReleased) //nolint:gosec // No machine has so much.
}
