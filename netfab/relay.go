package netfab

import "context"

type relay struct{}

func (r *relay) Close() error { return nil }

// AllowInternet is not there yet.
func (n *Network) AllowInternet(ctx context.Context) error { return ctx.Err() }
