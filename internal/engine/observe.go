package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// The logs that one attempt keeps on record: so many lines, and so many bytes of text.
const (
	maxLogLines = 1_000
	maxLogBytes = 256 << 10
)

// logLine is a line that an execution logged, on record.
type logLine struct {
	Time       time.Time      `json:"time"`
	Level      string         `json:"level"`
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// logBuffer keeps what one attempt logs.
type logBuffer struct {
	mu      sync.Mutex
	lines   []json.RawMessage
	size    int
	dropped int
}

// handler writes to the buffer, and passes on to the runtime's own handler.
func (b *logBuffer) handler(next slog.Handler, record *store.Execution) slog.Handler {
	return &logHandler{buffer: b, next: next, record: record}
}

func (b *logBuffer) add(line *logLine) {
	data, _ := json.Marshal(line) //nolint:errchkjson // Attributes are encoded already, or plain.
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines) == maxLogLines || b.size+len(data) > maxLogBytes {
		b.dropped++
		return
	}
	b.lines = append(b.lines, data)
	b.size += len(data)
}

// encode is the form on record: a JSON list of logLine; nil if there are none.
func (b *logBuffer) encode() []byte {
	b.mu.Lock()
	lines, dropped := slices.Clip(b.lines), b.dropped
	b.mu.Unlock()
	return encodeLines(lines, dropped)
}

// take returns the form on record and empties the buffer. What is logged meanwhile stands in
// one or the other.
func (b *logBuffer) take() []byte {
	b.mu.Lock()
	lines, dropped := b.lines, b.dropped
	b.lines, b.size, b.dropped = nil, 0, 0
	b.mu.Unlock()
	return encodeLines(lines, dropped)
}

func encodeLines(lines []json.RawMessage, dropped int) []byte {
	if dropped > 0 {
		line := logLine{Time: time.Now().UTC(), Level: "WARN", Message: fmt.Sprintf("%d more lines were not kept", dropped)}
		data, _ := json.Marshal(&line) //nolint:errchkjson // Only strings and a time.
		lines = append(lines, data)
	}
	if len(lines) == 0 {
		return nil
	}
	data, _ := json.Marshal(lines) //nolint:errchkjson // Each line is JSON.
	return data
}

// restore begins again with lines that encode returned: what was logged since is not kept.
func (b *logBuffer) restore(encoded []byte) error {
	var lines []json.RawMessage
	if len(encoded) > 0 {
		if err := json.Unmarshal(encoded, &lines); err != nil {
			return fmt.Errorf("the recorded logs: %w", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines, b.size, b.dropped = lines, 0, 0
	for _, line := range lines {
		b.size += len(line)
	}
	return nil
}

// copyFrom begins with what another buffer holds.
func (b *logBuffer) copyFrom(other *logBuffer) {
	other.mu.Lock()
	defer other.mu.Unlock()
	b.lines, b.size, b.dropped = slices.Clone(other.lines), other.size, other.dropped
}

// logHandler is the slog.Handler of one run. Groups become prefixes of the names.
type logHandler struct {
	buffer *logBuffer
	next   slog.Handler
	record *store.Execution
	prefix string
	attrs  []slog.Attr
}

// Enabled implements slog.Handler: an execution's record keeps every level.
func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	line := &logLine{Time: r.Time.UTC(), Level: r.Level.String(), Message: r.Message}
	add := func(attr slog.Attr) bool {
		addAttribute(line, h.prefix, attr)
		return true
	}
	for _, attr := range h.attrs {
		addAttribute(line, "", attr)
	}
	r.Attrs(add)
	h.buffer.add(line)
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	r = r.Clone()
	r.AddAttrs(slog.String("execution", h.record.ID), slog.String("flow", h.record.Flow), slog.String("instance", h.record.Instance))
	return h.next.Handle(ctx, r)
}

func addAttribute(line *logLine, prefix string, attr slog.Attr) {
	value := attr.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		for _, member := range value.Group() {
			addAttribute(line, prefix, member)
		}
		return
	}
	if attr.Key == "" {
		return
	}
	if line.Attributes == nil {
		line.Attributes = map[string]any{}
	}
	line.Attributes[prefix+attr.Key] = attributeValue(value)
}

// attributeValue is the value in a form that JSON shows well. As with slog's own handlers, one
// that panics or cannot be encoded is told in its place, and fails nothing.
func attributeValue(value slog.Value) (shown any) {
	switch value.Kind() { //nolint:exhaustive // The other kinds may not be JSON.
	case slog.KindString, slog.KindBool, slog.KindInt64, slog.KindUint64:
		return value.Any()
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			shown = fmt.Sprintf("!PANIC: %v", panicked)
			if v := reflect.ValueOf(value.Any()); v.Kind() == reflect.Pointer && v.IsNil() {
				shown = "<nil>"
			}
		}
	}()
	switch v := value.Any().(type) {
	case error:
		return v.Error()
	case time.Time:
		return encodeAttribute(v)
	case fmt.Stringer:
		return v.String()
	default:
		return encodeAttribute(v)
	}
}

func encodeAttribute(v any) any {
	encoded, err := json.Marshal(v)
	if err != nil {
		return "!ERROR: " + err.Error()
	}
	return json.RawMessage(encoded)
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clone := *h
	clone.next = h.next.WithAttrs(attrs)
	clone.attrs = append([]slog.Attr{}, h.attrs...)
	for _, attr := range attrs {
		attr.Key = h.prefix + attr.Key
		clone.attrs = append(clone.attrs, attr)
	}
	return &clone
}

// WithGroup implements slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	clone := *h
	clone.next = h.next.WithGroup(name)
	clone.prefix += name + "."
	return &clone
}

// sealLogs puts what was logged so far on record as from before the acceptance.
func (x *execution) sealLogs() {
	if x.record.Logs == nil {
		x.record.Logs = x.logs.take()
	}
}

// logger writes to the execution's record, and to the runtime's logger.
func (x *execution) logger() *slog.Logger {
	return slog.New(x.logs.handler(x.engine.options.Logger.Handler(), x.record))
}

// failureLog is the logger for a failure of user code, with the stack of a panic.
func (x *execution) failureLog(err error) *slog.Logger {
	log := x.logger().With("error", err.Error())
	if panicked, ok := errors.AsType[*sluice.PanicError](err); ok {
		log = log.With("stack", string(panicked.Stack))
	}
	return log
}

// logFailure logs how an attempt failed.
func (x *execution) logFailure(err error, outcome *store.Outcome) {
	log := x.failureLog(err).With("attempt", outcome.Attempt)
	_, rejected := errors.AsType[*sluice.RejectError](err)
	switch {
	case outcome.Status == store.StatusCanceled:
		log.InfoContext(x.engine.work, "execution canceled")
	case rejected:
		log.InfoContext(x.engine.work, "execution rejected")
	case outcome.Status == store.StatusWaiting:
		log.WarnContext(x.engine.work, "attempt failed", "next_attempt", outcome.NextAttempt)
	default:
		log.ErrorContext(x.engine.work, "execution failed")
	}
}
