//go:build !race

package simulation

// defaultSeeds is how many seeds `make test` simulates.
const defaultSeeds = 20
