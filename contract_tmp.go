package sluice

func (i *Integration) Validate() error { return nil }
