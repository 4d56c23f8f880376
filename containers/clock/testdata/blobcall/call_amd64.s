#include "textflag.h"

// func call(fn, a, b uintptr) uintptr
TEXT ·call(SB), NOSPLIT, $256-32
	MOVQ fn+0(FP), AX
	MOVQ a+8(FP), DI
	MOVQ b+16(FP), SI
	CALL AX
	MOVQ AX, ret+24(FP)
	RET
