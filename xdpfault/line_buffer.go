package xdpfault

import "math/bits"

// Packets are used again with their buffers, so that the line's process makes
// no garbage while it holds them. Buffers have powers of two from 2 KiB to
// 128 KiB, and of each size at most spareBytes are kept.
const (
	leastClass   = 11
	spareClasses = 7
	spareBytes   = 8 << 20
)

func classOf(n int) int { return max(0, bits.Len(uint(n-1))-leastClass) }

// packet gives one with an empty buffer of room for n bytes.
func (l *lineThread) packet(n int) *packet {
	class := classOf(n)
	if class >= spareClasses {
		return &packet{buf: make([]byte, 0, n)}
	}
	spare := l.spare[class]
	if last := len(spare) - 1; last >= 0 {
		p := spare[last]
		l.spare[class] = spare[:last]
		return p
	}
	return &packet{buf: make([]byte, 0, 1<<(class+leastClass))}
}

// recycle takes back a packet that has left.
func (l *lineThread) recycle(p *packet) {
	class := classOf(cap(p.buf))
	if class >= spareClasses || cap(p.buf) != 1<<(class+leastClass) || len(l.spare[class]) >= spareBytes>>(class+leastClass) {
		return
	}
	*p = packet{buf: p.buf[:0]}
	l.spare[class] = append(l.spare[class], p)
}
