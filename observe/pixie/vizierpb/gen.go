// Package vizierpb is the generated code of the part of Pixie's public API that runs scripts. Regenerating it needs
// protoc 3.21; its plugins come pinned through the Go module proxy.
package vizierpb

//go:generate sh generate.sh
