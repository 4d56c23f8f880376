package xdpfault

import (
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// shared is an array map seen as memory (BPF_F_MMAPABLE, kernel 5.5).
type shared[T any] struct {
	raw []byte
	at  []T
}

// share maps an array map whose elements are made of whole Ts.
func share[T any](m *ebpf.Map) (shared[T], error) {
	var zero T
	size := int(m.ValueSize()) * int(m.MaxEntries())
	raw, err := unix.Mmap(m.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return shared[T]{}, fmt.Errorf("map memory of %v: %w", m, err)
	}
	n := size / int(unsafe.Sizeof(zero))
	return shared[T]{raw: raw, at: unsafe.Slice((*T)(unsafe.Pointer(&raw[0])), n)}, nil
}

func (s *shared[T]) close() error {
	if s.raw == nil {
		return nil
	}
	raw := s.raw
	s.raw, s.at = nil, nil
	return unix.Munmap(raw)
}

// setSize is that of a rule set in its map.
const setSize = int(unsafe.Sizeof(verdictRuleset{}))

// rulesetsOf sees a map of rule sets as what it is.
func rulesetsOf(raw []byte) []verdictRuleset {
	return unsafe.Slice((*verdictRuleset)(unsafe.Pointer(&raw[0])), len(raw)/setSize)
}
