package clock

import (
	_ "embed"
	"encoding/binary"
	"syscall"
)

//go:embed blob/blob_arm64.o
var blobObject []byte

// replaced maps the vDSO's functions to the blob's. There is no time().
var replaced = map[string]string{
	"__kernel_clock_gettime": "brine_clock_gettime",
	"__kernel_gettimeofday":  "brine_gettimeofday",
}

// jump is the instruction at from that goes to to: b imm26. It is one word, so
// that no thread can be inside it.
func jump(from, to int) []byte {
	return binary.LittleEndian.AppendUint32(nil, 0x14000000|uint32((to-from)/4)&0x03ffffff)
}

func stackPointer(r *syscall.PtraceRegs) uint64 { return r.Sp }
