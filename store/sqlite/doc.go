// Package sqlite keeps a store in one SQLite file, or in memory, owned by one process.
//
// One connection writes. The goroutine that owns it commits whatever is waiting, up to 64
// writes at a time, with write-ahead log and synchronous=FULL: a write that returned nil
// survives a crash of the process and of the machine. Reads of a file use connections of
// their own and do not wait for writes.
//
// An execution is a row that never changes, and so is each outcome. What is ready and what
// is claimed stands in memory, bounded; the table pending holds the executions without a
// final outcome that memory does not hold, that wait for a retry, or that are older than
// the mark. The mark moves on every thousand or so acceptances, so that opening a store
// after a crash looks at what is pending and at the few executions above the mark, never at
// those that are over. A claim is not written: a crash makes everything ready again that
// has no final outcome. Only what a crash left is marked in pending when it is claimed, so
// that the next crash counts for it; what two have counted for runs one at a time.
//
// Instances take turns, and within each its lanes. Of a lane, memory holds the first ready
// executions and how many seats are taken; it forgets the lane when there are none. A seat
// is on record in pending as long as a waiting execution keeps it.
//
// Workers share the store when several runtimes of one process do. Their leases stand in
// memory, too; the claims of one that has run out end as a crash would end them.
//
// What does not run is canceled at once. That a running execution is to be canceled is
// marked in pending, for whoever claims it after a crash. State is applied to the values
// that the keys have in the commit; a write whose change is refused is taken back to its
// savepoint, and the commit goes on without it.
//
// Listing executions walks them from the newest back and filters on the way. There are no
// indexes for it: each would cost acceptances a tenth to a quarter of their rate.
package sqlite
