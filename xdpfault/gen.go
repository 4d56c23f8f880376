package xdpfault

// The object is built for every little-endian machine; it reads no header of
// the build machine, so regenerating changes nothing.
//
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang -target bpfel -go-package xdpfault -type rule -type ruleset -type port -type ledger -type ledger_key -type traffic -type traffic_key -type control verdict bpf/verdict.c -- -O2 -g -Wall -Werror -mcpu=v3
