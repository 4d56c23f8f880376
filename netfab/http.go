package netfab

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"
)

// HTTPOption changes how HTTP's client connects.
type HTTPOption func(*http.Transport)

// KeepAlive lets the client use a connection for more than one request. By
// default each request opens its own, so that it meets the network as it is
// now, and not what an older connection made of it.
func KeepAlive() HTTPOption {
	return func(t *http.Transport) { t.DisableKeepAlives = false }
}

// Transport is an HTTP transport that connects from inside the node's
// namespace, without the proxies that the environment names.
func (n *Node) Transport(opts ...HTTPOption) *http.Transport {
	t := &http.Transport{
		DialContext:         n.dialForRequest,
		DisableKeepAlives:   true,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 10 * time.Second,
	}
	for _, opt := range opts {
		opt(t)
	}
	return t
}

// HTTP is a client that sends from inside the node's namespace. It does not
// try again, keeps no cookies, and follows redirects as net/http does.
func (n *Node) HTTP(opts ...HTTPOption) *resty.Client {
	return resty.NewWithClient(&http.Client{Transport: bound{n.Transport(opts...)}})
}

type requestKey struct{}

// bound ends a request's dial with the request. By itself net/http lets a dial
// go on for a later request to use: into a cut it would send SYNs for minutes
// after the sentence that asked has given up.
type bound struct{ *http.Transport }

// RoundTrip sends one request.
func (b bound) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	return b.Transport.RoundTrip(r.WithContext(context.WithValue(ctx, requestKey{}, ctx)))
}

// dialForRequest is DialContext, ended by the request that asked for it.
func (n *Node) dialForRequest(ctx context.Context, network, addr string) (net.Conn, error) {
	if request, ok := ctx.Value(requestKey{}).(context.Context); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(request, cancel)()
	}
	return n.DialContext(ctx, network, addr)
}
