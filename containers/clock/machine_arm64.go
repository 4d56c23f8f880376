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

func placeOf(r *syscall.PtraceRegs) place { return place{pc: r.Pc, sp: r.Sp, link: r.Regs[30]} }

// address is the code that a saved return address names: the bits above it may
// sign it (pointer authentication).
func address(w uint64) uint64 { return w & (1<<48 - 1) }

// savedWords is how much of a signal's frame saved looks at.
const savedWords = 4

// saved recognises the registers that a signal interrupted: x30, sp, pc, and
// pstate, whose mode bits are 0 in user space (struct sigcontext, asm/sigcontext.h).
func saved(stack []uint64) (at place, ok bool) {
	sp, pc, pstate := stack[1], stack[2], stack[3]
	return place{pc: pc, sp: sp, link: stack[0]}, sp&15 == 0 && pc&3 == 0 && pstate&31 == 0 && pstate < 1<<32
}

// movable is how many bytes at a function's beginning, n at least, are
// instructions that do the same at another place; 0 when it cannot tell. Known
// are those that compilers make frames with (Arm ARM, C6.2).
func movable(code []byte, _ int) int {
	switch i := binary.LittleEndian.Uint32(code); {
	case i == 0xd503245f, i == 0xd503233f, // bti c, paciasp
		i&0xffc07fff == 0xa9807bfd, // stp x29, x30, [sp, #-n]!
		i&0xffc003ff == 0xd10003ff: // sub sp, sp, #n
		return 4
	}
	return 0
}
