package netfab

import (
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
		DialContext:         n.DialContext,
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
	return resty.NewWithClient(&http.Client{Transport: n.Transport(opts...)})
}
