package sluicetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-go/sluice/store"
)

// Point is a moment in the life of a runtime at which a fault may strike: before or after a
// call of its store, a step of a flow, the record of a step, or a request that a flow sends.
type Point struct {
	moment moment
	kind   kind
	name   string
	// times is how often a fault strikes here; always is at every time.
	times int
}

type moment string

const (
	before moment = "before"
	after  moment = "after"
)

// kind is what the name of a point names.
type kind int

const (
	storeCall kind = iota
	stepCall
	stepRecord
	requestSent
)

// always is the times of a point that faults never leave.
const always = -1

// Before is the moment before a call of a method of [store.Store], by its name: what a fault
// refuses there has not happened.
func Before(method string) Point { return Point{moment: before, kind: storeCall, name: method} }

// After is the moment after a call of a method of [store.Store]: it has happened, and the runtime
// has not heard of it.
func After(method string) Point { return Point{moment: after, kind: storeCall, name: method} }

// BeforeStep is the moment before the function of a step is called.
func BeforeStep(name string) Point { return Point{moment: before, kind: stepCall, name: name} }

// AfterStep is the moment after the function of a step has returned: what it did is done, and
// nothing is on record of it.
func AfterStep(name string) Point { return Point{moment: after, kind: stepCall, name: name} }

// BeforeRecord is the moment before the result of a step is recorded. It is later than
// AfterStep only for the first step of a synchronous execution, which is accepted in between.
func BeforeRecord(step string) Point { return Point{moment: before, kind: stepRecord, name: step} }

// AfterRecord is the moment after the result of a step was recorded, before the flow gets it.
func AfterRecord(step string) Point { return Point{moment: after, kind: stepRecord, name: step} }

// BeforeRequest is the moment before a flow's HTTP client sends a request to a host, such as
// "api.example.com"; an empty one is any host.
func BeforeRequest(host string) Point { return Point{moment: before, kind: requestSent, name: host} }

// AfterRequest is the moment after a host has answered a request of a flow's HTTP client, before
// the flow gets the answer.
func AfterRequest(host string) Point { return Point{moment: after, kind: requestSent, name: host} }

// Times has a fault strike the next n times that the runtime comes to the point, instead of once.
func (p Point) Times(n int) Point {
	p.times = max(n, 1)
	return p
}

// Always has a fault strike whenever the runtime comes to the point, until [Harness.Mend].
func (p Point) Always() Point {
	p.times = always
	return p
}

// String names the point, as in: before Finish.
func (p Point) String() string {
	switch p.kind {
	case stepCall:
		return fmt.Sprintf("%s step %q", p.moment, p.name)
	case stepRecord:
		return fmt.Sprintf("%s the record of step %q", p.moment, p.name)
	case requestSent:
		return fmt.Sprintf("%s a request to %s", p.moment, cmp.Or(p.name, "any host"))
	default:
		return string(p.moment) + " " + p.name
	}
}

// place is the point without how often.
func (p Point) place() Point {
	p.times = 0
	return p
}

// covers tells whether a fault that waits at the point strikes at the place.
func (p Point) covers(place Point) bool {
	if p.kind == requestSent && p.name == "" {
		place.name = ""
	}
	return p.place() == place
}

// check tells what is wrong with the point.
func (p Point) check() error {
	if p.moment == "" {
		return errors.New("the zero Point is nowhere: use sluicetest.Before, AfterStep or one of their siblings")
	}
	if methods := storeMethods(); p.kind == storeCall && !slices.Contains(methods, p.name) {
		return fmt.Errorf("store.Store has no method %s: it has %s", strconv.Quote(p.name), strings.Join(methods, ", "))
	}
	return nil
}

// storeMethods are the names of the methods of [store.Store], sorted.
func storeMethods() []string {
	var names []string
	for method := range reflect.TypeFor[store.Store]().Methods() {
		names = append(names, method.Name)
	}
	return names
}
