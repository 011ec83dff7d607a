// Package simulation runs several runtimes on one store in a bubble of virtual time, for a
// month, while they are killed, paused past their lease, restarted and upgraded and while the
// store fails; then it checks the guarantees over what happened. It has tests only.
package simulation
