package sluicetest

import "testing"

// ReportTo has what the harness finds wrong reported elsewhere, and returns where it was reported.
func (h *Harness) ReportTo(tb testing.TB) testing.TB {
	tb.Helper()
	before := h.t
	h.t = tb
	return before
}
