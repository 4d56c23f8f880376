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

func placeOf(r *syscall.PtraceRegs) place { return place{pc: r.Rip, sp: r.Rsp} }

// address is the code that a saved return address names.
func address(w uint64) uint64 { return w }

// savedWords is how much of a signal's frame saved looks at.
const savedWords = 4

// saved recognises the registers that a signal interrupted: rsp, rip, eflags,
// and cs, which is 0x33 in user space (struct sigcontext, asm/sigcontext.h).
func saved(stack []uint64) (at place, ok bool) {
	return place{pc: stack[1], sp: stack[0]}, uint16(stack[3]) == 0x33 && stack[2]&2 != 0 && stack[2] < 1<<22
}

// movable is how many bytes at a function's beginning, n at least, are
// instructions that do the same at another place; 0 when it cannot tell. Only
// those are known that compilers begin functions with. The first one makes the
// frame, so that no loop comes back to it.
func movable(code []byte, n int) int {
	done := 0
	for framed := false; done < n; {
		length, frame := instruction(code[done:])
		if length == 0 || !framed && !frame {
			return 0
		}
		framed = framed || frame
		done += length
	}
	return done
}

// instruction is the length of the first instruction, 0 if it is not known, and
// whether it belongs to the making of a frame (Intel SDM, volume 2).
func instruction(b []byte) (length int, frame bool) {
	if len(b) < 16 {
		return 0, false
	}
	if binary.LittleEndian.Uint32(b) == 0xfa1e0ff3 { // endbr64
		return 4, true
	}
	rex := 0
	if b[0]&0xf0 == 0x40 {
		rex = 1
	}
	op, modrm := b[rex], b[rex+1]
	registers := modrm >= 0xc0 // and no memory
	switch {
	case op >= 0x50 && op <= 0x57: // push
		return rex + 1, true
	case op == 0x83 && registers: // and, sub, cmp … imm8
		return rex + 3, modrm == 0xec // sub rsp
	case op == 0x81 && registers: // the same, imm32
		return rex + 6, modrm == 0xec
	case (op == 0x89 || op == 0x8b || op == 0x31 || op == 0x85 || op == 0x39) && registers: // mov, xor, test, cmp
		return rex + 2, false
	}
	return 0, false
}
