package clock

import (
	_ "embed"
	"encoding/binary"
	"syscall"
)

//go:embed blob/blob_amd64.o
var blobObject []byte

// replaced maps the vDSO's functions to the blob's.
var replaced = map[string]string{
	"__vdso_clock_gettime": "brine_clock_gettime",
	"__vdso_gettimeofday":  "brine_gettimeofday",
	"__vdso_time":          "brine_time",
}

// jump is the instruction at from that goes to to: jmp rel32.
func jump(from, to int) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0xe9}, uint32(int32(to-from-5)))
}

func stackPointer(r *syscall.PtraceRegs) uint64 { return r.Rsp }
