//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// note is what a worker writes down beside its database, for the parent to read: it outlives
// the worker.
type note struct {
	Execution string    `json:"execution"`
	Flow      string    `json:"flow"`
	Number    int       `json:"number"`
	Attempt   int       `json:"attempt"`
	Event     string    `json:"event"`
	At        time.Time `json:"at"`
	// pid is that of the worker; the parent knows it from the file's name.
	pid int
}

// notebook appends notes to a file, each in one write.
type notebook struct{ file *os.File }

func (n *notebook) write(entry note, event string) {
	entry.Event, entry.At = event, time.Now()
	line, _ := json.Marshal(entry)          //nolint:errchkjson // It has only plain fields.
	_, _ = n.file.Write(append(line, '\n')) // A missing note shows as a missing execution.
}

// readNotes reads what all workers wrote, of each in its order.
func readNotes(folder string) ([]note, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "notes-*"))
	if err != nil {
		return nil, err
	}
	var notes []note
	for _, path := range paths {
		pid, err := strconv.Atoi(path[strings.LastIndex(path, "-")+1:])
		if err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			entry := note{pid: pid}
			if json.Unmarshal(lines.Bytes(), &entry) == nil { // The last line may be cut off.
				notes = append(notes, entry)
			}
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	return notes, nil
}
