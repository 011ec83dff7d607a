package sluice

import "net/url"

type Headers map[string][]string
type QueryParameters url.Values
type RawBody struct {
	Data        []byte
	ContentType string
}
type Body struct{}
type FlowSchemas struct{}
type HMACTrigger struct{}
type ComponentTrigger struct{}

func (HMACTrigger) trigger()      {}
func (ComponentTrigger) trigger() {}

type StringVar struct{}
