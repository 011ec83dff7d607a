package sluice

type HMACTrigger struct{}

func (HMACTrigger) trigger() {}

func (i *Integration) Validate() error { return nil }
