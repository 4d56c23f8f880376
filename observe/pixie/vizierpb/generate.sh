#!/bin/sh
# Makes the Go code of vizier.proto with pinned plugins, which the Go module proxy gives. protoc is Debian's package
# protobuf-compiler; the generated files name its version, 3.21.12.
set -eu
command -v protoc >/dev/null || {
	echo "protoc: not found" >&2
	echo "hint: apt-get install protobuf-compiler" >&2
	exit 1
}
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN=$bin go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN=$bin go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.0
PATH=$bin:$PATH protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative vizier.proto
sha256sum vizier.proto *.pb.go >generated.sum
