// Goreader answers as reader.c does, for the clocks that Go programs read.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

var first = time.Now()

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, syscall.Exec(os.Args[1], os.Args[1:], os.Environ()))
		os.Exit(1)
	}
	n, _ := strconv.Atoi(os.Getenv("THREADS"))
	for range n {
		go busy()
	}
	fmt.Println(first.UnixNano())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		raw := kernel()
		now := time.Now()
		mono := time.Since(first)
		var tv syscall.Timeval
		_ = syscall.Gettimeofday(&tv)
		fmt.Println(now.UnixNano(), now.UnixNano(), tv.Nano(), now.Unix()*1e9, int64(mono), raw, kernel()-raw)
	}
}

func kernel() int64 {
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 0, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

// busy reads clocks as fast as it can; the garbage collector interrupts it.
func busy() {
	last := time.Now()
	var keep [][]byte
	for i := 0; ; i++ {
		now := time.Now()
		if now.Sub(last) < 0 {
			panic("the monotonic clock went back")
		}
		last = now
		if i%100 == 0 {
			keep = append(keep[:len(keep)%100], make([]byte, 1000))
		}
	}
}
