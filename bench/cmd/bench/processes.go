package main

// processes asks what a second process on the same database brings or costs.
func processes() table {
	serve := startEndToEnd(localOptions{open: openPostgresStore, flow: idle})
	return table{
		name: "processes", title: "One process and two on one PostgreSQL", postgres: true,
		notes: []string{"From the request to the recorded outcome. All share the machine's cores with the server."},
		rows: []row{
			{name: "one process", start: serve},
			{name: "two processes", processes: 2, start: serve},
		},
		targets: []target{rateAtLeast(1, "two processes", "one process")},
	}
}
