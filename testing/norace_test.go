//go:build !race

package sluicetest_test

// raceEnabled tells whether the race detector runs.
const raceEnabled = false
