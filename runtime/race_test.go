//go:build race

package runtime_test

// underRace says that the race detector runs, which multiplies the memory that things take.
const underRace = true
