// Package vizierpb is the generated code of the part of Pixie's public API that runs scripts. Regenerating it needs
// protoc 3.21, and protoc-gen-go v1.36.12 and protoc-gen-go-grpc v1.6.0 on the PATH.
package vizierpb

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative vizier.proto
