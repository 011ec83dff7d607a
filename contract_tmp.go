package sluice

// HMACTrigger is a stand-in.
type HMACTrigger struct{}

func (HMACTrigger) trigger() {}
