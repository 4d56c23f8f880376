// Blobcall loads the machine code named by its first argument, puts the
// correction base, offset, drift (the other arguments) in force in the second
// of its two sets, and prints, for each function and clock, how far the answer
// is from the kernel's, in ns.
package main

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// call calls C code.
func call(fn, a, b uintptr) uintptr

func main() {
	f, err := elf.Open(os.Args[1])
	check(err)
	code, err := f.Section(".text").Data()
	check(err)
	mem, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	check(err)
	copy(mem, code)
	mem[8] = 1
	for i, arg := range os.Args[2:5] {
		v, err := strconv.ParseInt(arg, 10, 64)
		check(err)
		binary.LittleEndian.PutUint64(mem[40+8*i:], uint64(v))
	}
	symbols, err := f.Symbols()
	check(err)
	at := map[string]uintptr{}
	for _, s := range symbols {
		at[s.Name] = uintptr(unsafe.Pointer(&mem[0])) + uintptr(s.Value)
	}
	var ts syscall.Timespec
	var tv syscall.Timeval
	var t int64
	for _, clock := range []uintptr{0, 5, 11, 1, 7, 4} {
		real := kernel(clock)
		if r := call(at["brine_clock_gettime"], clock, uintptr(unsafe.Pointer(&ts))); r != 0 {
			panic(r)
		}
		fmt.Println("clock", clock, ts.Nano()-real)
	}
	fmt.Println("bad", int32(call(at["brine_clock_gettime"], 99, uintptr(unsafe.Pointer(&ts)))))
	real := kernel(0)
	if r := call(at["brine_gettimeofday"], uintptr(unsafe.Pointer(&tv)), 0); r != 0 {
		panic(r)
	}
	fmt.Println("gettimeofday", tv.Nano()-real)
	fmt.Println("time", int64(call(at["brine_time"], uintptr(unsafe.Pointer(&t)), 0))*1e9-real, t*1e9-real)
}

func kernel(clock uintptr) int64 {
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
