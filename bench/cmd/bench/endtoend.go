package main

// endToEndSQLite asks how many executions a second go through, from their acceptance to their recorded outcome.
func endToEndSQLite() table {
	return table{
		name: "endtoend-sqlite", title: "From acceptance to recorded outcome, SQLite",
		notes: []string{
			"A flow that does nothing; requests are given to the handler, with no network between. River, tuned, looks for jobs as",
			"often as it may; batched is that with code around it that gathers what waits into one InsertMany. River records the",
			"end of a job up to 250 ms later unless 100 have gathered; so its other rows count a job when it has been worked.",
		},
		rows: []row{
			{name: "raw group commit", start: startRaw},
			{name: "Sluice", start: startEndToEnd(localOptions{open: openSQLiteStore, flow: idle})},
			{name: "Sluice's store alone", start: startExecute(openSQLiteStore)},
			{name: "its acceptances", start: startAccept(openSQLiteStore, false)},
			{name: "its acceptances, one a commit", start: startAccept(openSQLiteStore, true)},
			{name: "River, tuned, batched", start: startRiverSQLite(riverOptions{tuned: true, batch: true, start: true})},
			{name: "River, tuned", start: startRiverSQLite(riverOptions{tuned: true, start: true})},
			{name: "River, tuned, until recorded", start: startRiverSQLite(riverOptions{tuned: true})},
			{name: "River, default", start: startRiverSQLite(riverOptions{start: true})},
		},
		targets: []target{
			rateAtLeast(0.35, "Sluice", "raw group commit"),
			rateAtLeast(5, "Sluice", "River, tuned, batched"),
			rateAtLeast(5, "Sluice", "River, tuned"),
			rateAtLeast(5, "Sluice", "River, default"),
		},
	}
}

// endToEndPostgres asks the same of PostgreSQL.
func endToEndPostgres() table {
	return table{
		name: "endtoend-postgres", title: "From acceptance to recorded outcome, PostgreSQL", postgres: true,
		rows: []row{
			{name: "raw group commit", start: startRawPostgres},
			{name: "Sluice", start: startEndToEnd(localOptions{open: openPostgresStore, flow: idle})},
			{name: "Sluice's store alone", start: startExecute(openPostgresStore)},
			{name: "River, tuned, batched", start: startRiverPostgres(riverOptions{tuned: true, batch: true, start: true})},
			{name: "River, tuned", start: startRiverPostgres(riverOptions{tuned: true, start: true})},
			{name: "River, tuned, until recorded", start: startRiverPostgres(riverOptions{tuned: true})},
			{name: "River, default", start: startRiverPostgres(riverOptions{start: true})},
		},
		targets: []target{
			rateAtLeast(2, "Sluice", "River, tuned, batched"),
			rateAtLeast(2, "Sluice", "River, tuned"),
			rateAtLeast(2, "Sluice", "River, default"),
		},
	}
}
