package xdpfault

import (
	"testing"
)

// BenchmarkNew loads the programs.
func BenchmarkNew(b *testing.B) {
	f := newBareFabric(b, 2)
	for b.Loop() {
		e, err := New(f.sw, Config{Hook: HookTC})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
