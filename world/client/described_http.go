package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"brine.test/brine/world/catalogue"
)

// newHTTP makes an HTTP client that keeps one connection, made from the target's network, and follows redirects.
func newHTTP(t Target) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := race(ctx, t.dial(), network, address)
			if err != nil {
				return nil, err
			}
			return &conn{Conn: raw, turns: true}, nil
		},
		MaxIdleConns:           1,
		MaxResponseHeaderBytes: 1 << 20,
		DisableCompression:     true,
	}}
}

// request sends an action's HTTP request and judges the answer.
func (d *described) request(ctx context.Context, a *catalogue.Action, changes bool, data catalogue.OpData) reply {
	start := time.Now()
	var sent, heard atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders:         func() { sent.Store(true) },
		GotFirstResponseByte: func() { heard.Store(true) },
	})
	request, err := d.build(traced, a.HTTP, data)
	if err != nil {
		return reply{Result: Result{Outcome: Failed, Err: err}}
	}
	response, err := d.http.Do(request)
	if err != nil {
		return reply{Result: httpFailure(ctx, start, request, sent.Load(), heard.Load(), err)}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return reply{Result: httpFailure(ctx, start, request, true, true, err)}
	}
	got := answer{body: body, header: response.Header, isHTTP: true}
	return judge(a, statusVerdict(a.HTTP.Status, response.StatusCode), response.StatusCode, changes, got,
		fmt.Sprintf("%s %s: status %d%s", request.Method, request.URL, response.StatusCode, excerpt(body)))
}

func (d *described) build(ctx context.Context, h *catalogue.HTTPAction, data catalogue.OpData) (*http.Request, error) {
	path, err := h.Path.ExecutePath(data)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	body, err := h.Body.Execute(data)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	address := "http://" + net.JoinHostPort(d.target.IP, strconv.Itoa(h.Port.Number)) + path
	request, err := http.NewRequestWithContext(ctx, h.Method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range h.Headers {
		text, err := value.Execute(data)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = text
			continue
		}
		request.Header.Set(name, text)
	}
	return request, nil
}

// httpFailure decides what a request without a whole answer means.
func httpFailure(ctx context.Context, start time.Time, request *http.Request, sent, heard bool, err error) Result {
	err = fmt.Errorf("%s %s: %w", request.Method, request.URL, rootOf(err))
	switch {
	case heard && (ctx.Err() != nil || isTimeout(err)):
		return Result{Outcome: Unknown, Answered: true, Err: fmt.Errorf("the answer broke off: %w", err)}
	case ctx.Err() != nil || isTimeout(err):
		return noAnswer(ctx, start)
	case !sent:
		return notConnected(ctx, start, err)
	}
	return cut(err)
}

// rootOf takes off the method and URL that net/http puts around an error.
func rootOf(err error) error {
	var around *url.Error
	if errors.As(err, &around) {
		return around.Err
	}
	return err
}

// statusVerdict is what an HTTP status means by itself. Where the file lists none, 2xx is accepted.
func statusVerdict(accepted []int, status int) Outcome {
	switch {
	case slices.Contains(accepted, status), accepted == nil && status/100 == 2:
		return OK
	case status == http.StatusRequestTimeout, status/100 == 5:
		return Unknown
	}
	return Failed
}

// judge makes the reply of an answer: verdict is what its code means by itself, which the file may overrule.
func judge(a *catalogue.Action, verdict Outcome, code int, changes bool, got answer, said string) reply {
	isRead := a.Value != nil && a.Term == nil
	notFound := slices.Contains(a.NotFound, code)
	if a.HTTP != nil && a.NotFound == nil && verdict != OK && isRead {
		notFound = code == http.StatusNotFound
	}
	switch {
	case notFound:
		got.nothing = true
		return reply{Result{Outcome: OK, Answered: true}, got, code}
	case verdict == OK && a.HTTP != nil && code == http.StatusNoContent && isRead:
		got.nothing = true
		return reply{Result{Outcome: OK, Answered: true}, got, code}
	case verdict == OK:
		return reply{Result{Outcome: OK, Answered: true}, got, code}
	case slices.Contains(a.Refused, code), !changes && !isTimeoutStatus(a, code):
		verdict = Failed
	}
	return reply{Result{Outcome: verdict, Answered: true, Err: fmt.Errorf("%s", said)}, got, code}
}

// isTimeoutStatus tells whether a server says with the status that time ran out: a time-out is unknown.
func isTimeoutStatus(a *catalogue.Action, code int) bool {
	return a.HTTP != nil && (code == http.StatusRequestTimeout || code == http.StatusGatewayTimeout)
}
