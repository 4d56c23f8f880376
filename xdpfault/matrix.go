package xdpfault

import (
	"sync/atomic"
)

// planes of the matrix, as in bpf/rules.h.
const planes = 4

// cell is a directed link as the matrix counts them: From*stride + To.
type cell uint32

// matrix is the table of rule sets per link, in shared memory.
//
//	plane 0   plane 1   plane 2   plane 3        generation 6 is on: plane 2
//	gen 4     gen 5     gen 6 *   (gen 3)   ──►  gen 7 is filled here
//
// Programs check after reading that the generation did not move by three or
// more, so a plane may be filled while a slow CPU still looks at it. There is
// one writer at a time, under the engine's lock.
type matrix struct {
	stride int
	high   int // ports in use are below; all else is zero in every plane
	cells  shared[uint16]
	gen    *uint32
}

func (m *matrix) cell(l Link) cell { return cell(l.From*m.stride + l.To) }

func (m *matrix) link(c cell) Link { return Link{int(c) / m.stride, int(c) % m.stride} }

// divide sorts cells by what which says of their links.
func (m *matrix) divide(cells []cell, which func(Link) bool) (kept, gone []cell) {
	for _, c := range cells {
		if which(m.link(c)) {
			gone = append(gone, c)
		} else {
			kept = append(kept, c)
		}
	}
	return kept, gone
}

func (m *matrix) plane(gen uint32) []uint16 {
	size := m.stride * m.stride
	at := int(gen%planes) * size
	return m.cells.at[at : at+size]
}

// active is the plane that programs read; only for reading.
func (m *matrix) active() []uint16 { return m.plane(*m.gen) }

// next makes the next generation's plane equal to the present one.
func (m *matrix) next() []uint16 {
	now, next := m.plane(*m.gen), m.plane(*m.gen+1)
	for row := 0; row < m.high*m.stride; row += m.stride {
		copy(next[row:row+m.high], now[row:row+m.high])
	}
	return next
}

// flip turns the next generation on. The swap is a full barrier: fills of a
// later plane cannot be seen before it.
func (m *matrix) flip() { atomic.SwapUint32(m.gen, *m.gen+1) }
