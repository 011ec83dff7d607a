package sluicetest

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/sluice-go/sluice/runtime"
)

// MockLogger is a logger that keeps what is logged. Make one with [LoggerMock].
type MockLogger struct {
	*slog.Logger

	tb      testing.TB
	mu      sync.Mutex
	written bytes.Buffer
}

// LoggerMock is spectral's loggerMock: a logger for Options.Logger of a runtime, or for your own
// code, whose lines a test can read, down to the level Debug. What one execution logged is also
// on its record.
func LoggerMock(tb testing.TB) *MockLogger {
	tb.Helper()
	mock := &MockLogger{tb: tb}
	mock.Logger = slog.New(slog.NewJSONHandler((*logLines)(mock), &slog.HandlerOptions{Level: slog.LevelDebug}))
	return mock
}

// logLines is where a MockLogger writes.
type logLines MockLogger

// Write implements io.Writer.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written.Write(line)
}

// Lines are those that were logged, oldest first.
func (m *MockLogger) Lines() []runtime.LogLine {
	m.tb.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []runtime.LogLine
	for text := range bytes.Lines(m.written.Bytes()) {
		line := struct {
			Time  time.Time
			Level string
			Msg   string
		}{}
		attributes := map[string]any{}
		if err := json.Unmarshal(text, &line); err != nil {
			m.tb.Fatal(err)
		}
		if err := json.Unmarshal(text, &attributes); err != nil {
			m.tb.Fatal(err)
		}
		maps.DeleteFunc(attributes, func(key string, _ any) bool { return key == "time" || key == "level" || key == "msg" })
		lines = append(lines, runtime.LogLine{Time: line.Time, Level: line.Level, Message: line.Msg, Attributes: attributes})
	}
	return lines
}
