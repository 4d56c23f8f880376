// Meter is a service that tells when it feels that something is done to it: it
// prints one line for each change, with the moment on CLOCK_MONOTONIC in ns,
// which no harm moves.
//
//	up MOMENT                    it runs
//	gap MOMENT NS                it did not run for so long, from that moment
//	clock MOMENT NS              the wall clock is off by so much now
//	disk MOMENT CALL ERROR       the first call with another result than the one before
//	slow MOMENT CALL NS          a call that began then took so long
//
// Its arguments say what it does: "spin" wants all of a processor, "disk" uses
// /data all the time. It ends at once at SIGTERM.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
	"unsafe"
)

const (
	pause     = 100 * time.Microsecond
	gapAbove  = 10 * time.Millisecond
	skewAbove = time.Millisecond // what a clock is off by when that is told
	slowAbove = 20 * time.Millisecond
	piece     = 4096
)

func main() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	fmt.Println("up", mono())
	go watchGaps(slices.Contains(os.Args, "spin"))
	go watchClock()
	if slices.Contains(os.Args, "disk") {
		go watchDisk()
	}
	<-term
}

// mono asks the kernel itself.
func mono() int64 { return ask(1) }

func ask(clock uintptr) int64 {
	var ts syscall.Timespec
	_, _, _ = syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

func watchGaps(spin bool) {
	for last := mono(); ; {
		if !spin {
			time.Sleep(pause)
		}
		now := mono()
		if now-last > int64(gapAbove) {
			fmt.Println("gap", last, now-last)
		}
		last = now
	}
}

// watchClock compares what programs read, through the vDSO, with what the kernel
// says between two such readings.
func watchClock() {
	var told int64
	for ; ; time.Sleep(pause) {
		before := time.Now().UnixNano()
		kernel := ask(0)
		after := time.Now().UnixNano()
		if after-before > int64(skewAbove)/4 {
			continue // interrupted
		}
		off := before - kernel
		if d := off - told; d > int64(skewAbove) || d < -int64(skewAbove) {
			fmt.Println("clock", mono(), off)
			told = off
		}
	}
}

// watchDisk writes and syncs one file and reads another: what was written is read
// from memory.
func watchDisk() {
	data, got := bytes.Repeat([]byte{1}, piece), make([]byte, piece)
	if err := os.WriteFile("/data/read", data, 0o644); err != nil {
		fmt.Println("disk", mono(), "write", err)
	}
	f, err := os.Create("/data/write")
	if err != nil {
		fmt.Println("disk", mono(), "create", err)
		return
	}
	g, err := os.Open("/data/read")
	if err != nil {
		fmt.Println("disk", mono(), "open", err)
		return
	}
	last := map[string]string{}
	try := func(call string, f func() error) {
		began := mono()
		err := f()
		now := mono()
		said := "ok"
		var errno syscall.Errno
		if errors.As(err, &errno) {
			said = errno.Error()
		} else if err != nil {
			said = err.Error()
		}
		if last[call] != said {
			fmt.Println("disk", now, call, said)
			last[call] = said
		}
		if now-began > int64(slowAbove) {
			fmt.Println("slow", began, call, now-began)
		}
	}
	for ; ; time.Sleep(pause) {
		try("write", func() error { _, err := f.WriteAt(data, 0); return err })
		try("fsync", f.Sync)
		try("read", func() error {
			_, err := g.ReadAt(got, 0)
			if err == nil && !bytes.Equal(data, got) {
				return errors.New("corrupted")
			}
			return err
		})
	}
}
