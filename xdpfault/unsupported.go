package xdpfault

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// UnsupportedError says that this kernel lacks something.
type UnsupportedError struct {
	Feature string // "redirect to a veth's peer"
	Kernel  string // the first kernel that has it: "5.10"
	Err     error  // what the kernel said
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: unsupported, needs kernel %s: %v", e.Feature, e.Kernel, e.Err)
}

func (e *UnsupportedError) Unwrap() error { return e.Err }

// needs turns a refusal to know a feature into an UnsupportedError.
func needs(feature, kernel string, err error) error {
	if errors.Is(err, ebpf.ErrNotSupported) {
		return &UnsupportedError{Feature: feature, Kernel: kernel, Err: err}
	}
	return err
}
