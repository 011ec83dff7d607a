package sluice

import (
	"encoding/json"
	"net/url"
)

type (
	Headers         map[string][]string
	QueryParameters url.Values
	RawBody         struct {
		Data        []byte
		ContentType string
	}
)
type Body struct{ data any }

func NewBody(v any) Body { return Body{v} }

func (b Body) Data() any { return b.data }

func (b Body) Decode(v any) error {
	if b.data == nil {
		return nil
	}
	data, err := json.Marshal(b.data)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

type HMACTrigger struct{}

func (HMACTrigger) trigger() {}
