#include "textflag.h"

// func call(fn, a, b uintptr) uintptr
TEXT ·call(SB), NOSPLIT, $256-32
	MOVD fn+0(FP), R9
	MOVD a+8(FP), R0
	MOVD b+16(FP), R1
	CALL (R9)
	MOVD R0, ret+24(FP)
	RET
