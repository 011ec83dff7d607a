// Package sluice defines product integrations as Go code: flows with their triggers,
// schedules, queues and retries, the config wizard of each customer, and the endpoint
// that routes webhooks to them. The names mirror Prismatic's code-native SDK, spectral,
// in Go's case. Package runtime serves what is defined here.
//
// An [Integration] is a literal. Its flows are made with [Define], which gives them types, or
// are [Flow] literals with an OnExecution. What a flow needs it has from three places:
//
//   - its context, which ends with the execution, and which durable calls take: [Step],
//     [ForEach], [Sleep], the State of a run, [FlowRef];
//   - its [Run]: whom it runs for, the payload, the logger, the way out to other systems;
//   - handles of config variables, such as [StringVar], which pages list and flows read.
//
// What a flow returns answers synchronous callers and stands on record. An error fails the
// attempt, which [RetryConfig] runs again: [Permanent], [RetryAfter] and [Reject] say more.
//
// The packages around it:
//
//   - runtime serves integrations: New, Start, Deploy, Handler;
//   - testing (package sluicetest) drives them in unit tests, on a virtual clock;
//   - store/sqlite, the default, and store/postgres, for many machines, are the databases;
//   - api is the HTTP API for operators;
//   - manifest writes a definition as the platform's YAML document.
//
// The guides in docs/guides begin with first-integration.md.
//
// Rules that come from the platform's documentation name their source: seed 000 is its page
// on flows, seed 001 "How to Use Integration Triggers", seed 002 the one on endpoint
// configuration, seed 003 the one on building integrations.
package sluice
