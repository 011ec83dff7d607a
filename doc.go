// Package sluice defines product integrations as Go code: flows with their triggers,
// schedules, queues and retries, the config wizard of each customer, and the endpoint
// that routes webhooks to them. The names mirror Prismatic's code-native SDK, spectral,
// in Go's case. Package runtime serves what is defined here.
package sluice
