package sluicetest_test

import (
	"flag"
	"fmt"
	"testing"
)

// asTest runs the test that an example shows, and prints whether it passed.
func asTest(test func(t *testing.T)) {
	verbose := flag.Lookup("test.v").Value.String()
	_ = flag.Set("test.v", "false") // What is printed is the example's.
	defer func() { _ = flag.Set("test.v", verbose) }()
	all := func(string, string) (bool, error) { return true, nil }
	fmt.Println(testing.RunTests(all, []testing.InternalTest{{Name: "Example", F: test}}))
}
