// Package postgres keeps a store in a PostgreSQL database, for as many processes as share
// it.
//
// Its tables stand in the schema sluice. An execution is a row that never changes, and so is
// each outcome; the table work has a row for each execution without a final outcome, which
// says where it stands. Two goroutines of a process commit whatever is waiting, up to 64
// writes at a time, with synchronous_commit=on: a write that returned nil survives a crash
// of the server. While the server writes one batch to its disk, the statements of the next one
// run. Writes of a kind share a statement, and all of a batch share a round trip; the commit
// is another one.
//
// What may be claimed is marked ready when it comes to be so: in a lane with a limit by
// whoever frees a seat, under a lock of that lane. So claims look at ready rows only, lock
// them with SKIP LOCKED, and leave the lanes alone. A worker's lease is one row, by the
// clock of the database; every write of a worker carries its fencing token. Each process
// looks once a second, and when it is told, for what became due and for workers whose lease
// has run out.
//
// Processes wake each other with NOTIFY, after the commit; what is lost of that, polling
// finds within a second. Therefore a connection must be to the server, or to a pooler that
// keeps sessions.
package postgres
