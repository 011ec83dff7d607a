package storetest

import "testing"

func testModel(*testing.T, *suite) {}
