package wire

// Descriptor is the identity of an object.
type Descriptor struct {
	Key  string
	Tags []string
	JSON string
}

// NewDescriptor is not yet written.
func NewDescriptor(tags []string, json string, limits *Limits) (Descriptor, error) {
	panic("BUG: not yet written")
}

// NewDescriptorStrict is not yet written.
func NewDescriptorStrict(tags []string, json string, limits *Limits) (Descriptor, error) {
	panic("BUG: not yet written")
}

// DescriptorFromKey is not yet written.
func DescriptorFromKey(key string) (Descriptor, error) { panic("BUG: not yet written") }
