// Package pixie runs PxL scripts on a Pixie cluster, over its public gRPC API.
//
//	Run ──TLS──► cloud (work.withpixie.ai:443) ──passthrough──► cluster   named by its id, an API key in the metadata
//	    └─TLS──► cluster's own address                                    direct
//
//	stream:  metadata of a table ► row batches ► … ► end of stream of each table
//
// It was tested against an in-process server of the same API; no live cluster was at hand.
//
//	result, err := pixie.Run(ctx, pixie.Config{ID: id, APIKey: key}, pxl.Script{Name: "latency.py", Source: src})
package pixie
