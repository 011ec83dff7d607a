//go:build race

package simulation

// defaultSeeds is fewer than without the race detector, which takes ten times as long.
const defaultSeeds = 4
