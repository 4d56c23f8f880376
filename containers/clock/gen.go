package clock

// The blob is plain machine code and the object is built for every
// little-endian machine, so that regenerating changes nothing.
//
//go:generate clang -target x86_64-linux-gnu -Os -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables -fno-ident -fno-jump-tables -fomit-frame-pointer -mgeneral-regs-only -mno-red-zone -Wall -Wextra -Werror -c -o blob/blob_amd64.o blob/blob.c
//go:generate clang -target aarch64-linux-gnu -Os -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables -fno-ident -fno-jump-tables -fomit-frame-pointer -mgeneral-regs-only -Wall -Wextra -Werror -c -o blob/blob_arm64.o blob/blob.c
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang -target bpfel -go-package clock -type happened programs bpf/programs.c -- -O2 -g -Wall -Werror -mcpu=v3
