package xdpfault

import "time"

// lineClock is the kernel's monotonic clock, read without a system call.
type lineClock struct {
	base time.Time
	at   int64
}

func newLineClock() lineClock {
	// The closest of a few pairs of looks: the process may be taken away between the two.
	best := lineClock{}
	for least := time.Duration(1 << 62); ; {
		c := lineClock{base: time.Now()}
		c.at = int64(monotonic())
		gap := time.Since(c.base)
		if gap >= least {
			return best
		}
		best, least = c, gap
	}
}

func (c lineClock) now() int64 { return c.at + int64(time.Since(c.base)) }

// stampUnit is what the verdict's clock counts in a packet's stamp: 1,024 ns.
const stampUnit = 10

// sent gives when a packet that is read now got its stamp: 16 bits, 67 ms.
// The end of the stamp's unit, so that no delay is ever too short.
func sent(now int64, stamp uint16) int64 {
	units := uint64(now) >> stampUnit
	age := uint16(units) - stamp
	return min(now, int64((units-uint64(age))<<stampUnit|(1<<stampUnit-1)))
}

// snooze decides how long the delay line sleeps before a packet is due, and
// for how long it looks at the clock instead.
//
// A timer wakes a thread late: by 30 µs on a busy processor, by 50 to 200 on one
// that has to be woken, from a virtual machine's host for one. So the thread
// sleeps until a little before the packet is due and then watches the clock.
// How much before is what nine of ten sleeps were late by lately.
//
// Watching costs a processor, so it has a budget, an eighth of the time; a
// stream so dense that it would need more hardly sleeps anyway. While no
// packet waits it costs nothing.
type snooze struct {
	late   int64 // what nine of ten sleeps are late by, ns
	credit int64 // how long may be watched, ns
	since  int64 // when credit was counted last
}

const (
	leastLate, mostLate = 20_000, 250_000
	mostCredit          = 4_000_000
	creditShare         = 8 // of the time, one in so many
)

func newSnooze(now int64) snooze { return snooze{late: 150_000, credit: mostCredit, since: now} }

// sleep gives for how long to sleep until what is due; 0 while to watch.
func (s *snooze) sleep(now, due int64) int64 {
	s.credit = min(mostCredit, s.credit+(now-s.since)/creditShare)
	s.since = now
	wait := max(0, due-now)
	if s.credit < s.late {
		return wait
	}
	return max(0, wait-s.late)
}

// watched takes from the budget what a look at the clock took.
func (s *snooze) watched(took int64) { s.credit = max(0, s.credit-took) }

// woke learns from a sleep that ended by itself, by how much too late.
func (s *snooze) woke(late int64) {
	if late > s.late {
		s.late = min(mostLate, s.late+9_000)
	} else {
		s.late = max(leastLate, s.late-1_000)
	}
}
