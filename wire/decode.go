package wire

// DecodeEvent decodes one event; a nil limits means DefaultLimits.
func DecodeEvent(data []byte, limits *Limits) (Event, error) { panic("BUG: not yet written") }
