package xdpfault

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// slots hands out indices of a table that running programs read. A slot that
// was given back may still be in the hands of a program on another CPU, so it
// waits in retired until a grace period has passed. That wait (about 10 ms) is
// paid only when no other slot is free.
type slots struct {
	what    string
	free    []uint16
	retired []uint16
}

// newSlots offers first to limit-1.
func newSlots(what string, first, limit int) *slots {
	s := &slots{what: what, free: make([]uint16, 0, limit-first)}
	for i := limit - 1; i >= first; i-- {
		s.free = append(s.free, uint16(i))
	}
	return s
}

func (s *slots) take() (uint16, error) {
	if len(s.free) == 0 {
		if len(s.retired) == 0 {
			return 0, fmt.Errorf("%s: table full\nhint: heal some harm first", s.what)
		}
		if err := gracePeriod(); err != nil {
			return 0, fmt.Errorf("%s: %w", s.what, err)
		}
		s.free, s.retired = s.retired, s.free
	}
	last := len(s.free) - 1
	slot := s.free[last]
	s.free = s.free[:last]
	return slot, nil
}

// retire gives back a slot that programs may have seen.
func (s *slots) retire(slot uint16) { s.retired = append(s.retired, slot) }

// untake gives back a slot that no program ever saw.
func (s *slots) untake(slot uint16) { s.free = append(s.free, slot) }

const membarrierGlobal = 1 // MEMBARRIER_CMD_GLOBAL, linux/membarrier.h

// gracePeriod returns when every program that runs now has ended.
// MEMBARRIER_CMD_GLOBAL is the kernel's synchronize_rcu (membarrier(2)).
func gracePeriod() error {
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0); errno != 0 {
		return fmt.Errorf("wait for running programs: membarrier: %w\nhint: kernels booted with nohz_full lack it", errno)
	}
	return nil
}
