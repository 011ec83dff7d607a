package sluicetest_test

import "testing"

// TestExamples runs the tests that the examples show.
func TestExamples(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(t *testing.T){
		"Execution":        testCounting,
		"Harness_Redeploy": testRelease,
		"Harness_Tick":     testReport,
		"Harness_Webhook":  testPush,
		"Run":              testBooking,
		"RunOptions":       testStocktaking,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}
