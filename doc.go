// Package sluice defines product integrations as Go code: flows with their triggers,
// schedules, queues and retries, the config wizard of each customer, and the endpoint
// that routes webhooks to them. The names mirror Prismatic's code-native SDK, spectral,
// in Go's case. Package runtime serves what is defined here.
//
// Rules that come from the platform's documentation name their source: seed 000 is its page
// on flows, seed 001 "How to Use Integration Triggers", seed 002 the one on endpoint
// configuration, seed 003 the one on building integrations.
package sluice
