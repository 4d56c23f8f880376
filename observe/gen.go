package observe

// The object is built for every little-endian machine; it reads no header of
// the build machine, so regenerating changes nothing.
//
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang -target bpfel -go-package observe -type event -type counts -type flow -type quiet sight bpf/sight.c -- -O2 -g -Wall -Werror -mcpu=v3
//go:generate sh -c "sha256sum bpf/* sight_bpfel.go sight_bpfel.o >generated.sum"
