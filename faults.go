package sluice

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a definition or with config values.
type Fault struct {
	// Path of the field, such as flows[2].queueConfig.concurrencyLimit; of a config value
	// it is the variable's key. It is empty when the fault is the whole's.
	Path string
	// Message says what is wrong and what is expected. It holds no secrets.
	Message string
}

// String returns the path and the message.
func (f Fault) String() string {
	if f.Path == "" {
		return f.Message
	}
	return f.Path + ": " + f.Message
}

// ValidationError lists every fault that was found.
type ValidationError struct {
	// Subject is what was validated, such as the integration's name.
	Subject string
	// Faults in the order of the fields; never empty.
	Faults []Fault
}

// Error lists the faults, one a line.
func (e *ValidationError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "sluice: %s is not valid:", e.Subject)
	for _, fault := range e.Faults {
		text.WriteString("\n  " + fault.String())
	}
	return text.String()
}
