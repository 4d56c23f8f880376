package xdpfault

// lineQueue is a heap of packets by when they are due; among equals the one
// that came first leaves first.
type lineQueue []*packet

func (q lineQueue) before(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].seq < q[j].seq
}

func (q *lineQueue) push(p *packet) {
	*q = append(*q, p)
	h := *q
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.before(i, up) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *lineQueue) pop() *packet {
	h := *q
	top, last := h[0], len(h)-1
	h[0], h[last] = h[last], nil
	h = h[:last]
	h.sink(0)
	*q = h
	return top
}

func (q lineQueue) sink(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(q) && q.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}

// fix restores the order after any change of due times.
func (q lineQueue) fix() {
	for i := len(q)/2 - 1; i >= 0; i-- {
		q.sink(i)
	}
}
