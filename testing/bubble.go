package sluicetest

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// bubble runs test in a bubble. Where goroutines are left in it, or all of them wait for what
// never comes, it fails the test with their stacks; the other tests go on.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	var marker string
	defer func() {
		t.Helper()
		if reason := recover(); reason != nil {
			t.Fatalf("%v; what is left in the bubble:\n\n%s", reason, stacks(marker))
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		marker = bubbleOf(stack(false))
		test(t)
	})
}

// bubbleOf is how stacks name the bubble of the first goroutine among them.
func bubbleOf(stack string) string {
	header, _, _ := strings.Cut(stack, "\n")
	_, name, _ := strings.Cut(header, "synctest bubble ")
	return "synctest bubble " + strings.TrimRight(name, "]:")
}

// stacks are those of the goroutines in a bubble, but for those that started it.
func stacks(bubble string) string {
	var found []string
	for stack := range strings.SplitSeq(stack(true), "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		in := strings.Contains(header, bubble+"]") || strings.Contains(header, bubble+",")
		if in && !strings.Contains(stack, "synctest.Run(") && !strings.Contains(stack, "synctest.Test.func") {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}

func stack(all bool) string {
	for size := 64 << 10; ; size *= 2 {
		buffer := make([]byte, size)
		if n := runtime.Stack(buffer, all); n < size {
			return string(buffer[:n])
		}
	}
}
