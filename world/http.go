package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"brine.test/brine/world/jsonpath"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// requestTimeout is how long an answer may take when the sentence does not say.
const requestTimeout = 30 * time.Second

// Field is one header of a request.
type Field = record.Field

// HTTPRequest is a request that a sentence sends: from the clients, or from
// inside a node's network. Timeout zero means 30 s.
type HTTPRequest struct {
	Method, URL, Body string
	Headers           []Field
	From              *sel.Selector
	Timeout           time.Duration
}

// response is the last answer, or the lack of one.
type response struct {
	req    HTTPRequest
	status int
	header http.Header
	body   string
	took   time.Duration
	err    error // no answer
	judged bool  // a sentence has looked at it
}

// Request sends a request and keeps the answer for the sentences that follow. A
// request that gets no answer is no error here; with "within" it is repeated
// until there is one.
func (w *World) Request(ctx context.Context, r HTTPRequest, b Bound) error {
	if err := w.unjudged(); err != nil {
		return err
	}
	if err := checkURL(r.URL); err != nil {
		return err
	}
	w.hideInURL(r.URL)
	if err := w.checkHost(r.URL); err != nil {
		return err
	}
	from := w.net.Clients()
	fromName := "clients"
	if r.From != nil && r.From.Kind != sel.Clients {
		n, err := w.One(ctx, *r.From)
		if err != nil {
			return err
		}
		from, fromName = n.net, n.Name
	}
	if r.Timeout == 0 {
		r.Timeout = requestTimeout
	}
	send := func(ctx context.Context) error {
		answer := w.send(ctx, from.HTTP(), fromName, r)
		w.mu.Lock()
		w.response = answer
		w.mu.Unlock()
		return answer.err
	}
	switch b.Kind {
	case Now:
		_ = send(ctx) // judged by the next sentence
		return ctx.Err()
	case Within:
		err := w.Check(ctx, b, send)
		if err != nil {
			w.mu.Lock()
			w.response.judged = true
			w.mu.Unlock()
			return fmt.Errorf("%s %s: no answer %w", r.Method, r.URL, err)
		}
		return nil
	default:
		return errors.New("a request is sent once, or \"within\" a time: nothing else\nhint: leave the bound away")
	}
}

// checkURL refuses what no request can be sent to.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return fmt.Errorf("%q: expected a URL that begins with http:// or https:// and a host\nhint: write \"http://node1:8080/x\"", text)
}

func (w *World) send(ctx context.Context, c *resty.Client, from string, r HTTPRequest) *response {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	req := c.R().SetContext(ctx)
	for _, f := range r.Headers {
		req.Header.Add(f.Name, f.Value)
	}
	if r.Body != "" {
		req.SetBody(r.Body)
	}
	began, start := time.Now(), w.suite.rec.Now()
	got, err := req.Execute(r.Method, r.URL)
	out := &response{req: r, took: time.Since(began), err: err}
	x := record.Exchange{
		From: from, Method: r.Method, URL: r.URL, RequestHeaders: r.Headers, RequestBody: r.Body,
		Start: start.Mono, Took: out.took,
	}
	if err != nil {
		x.Error = err.Error()
	} else {
		out.status, out.header, out.body = got.StatusCode(), got.Header(), got.String()
		w.hideInBody(out.body)
		x.Status, x.ResponseBody = out.status, out.body
		for name, values := range out.header {
			for _, v := range values {
				x.ResponseHeaders = append(x.ResponseHeaders, Field{Name: name, Value: v})
			}
		}
	}
	w.rec.Exchange(x)
	return out
}

// hideInBody hides what a sentence will remember of a response as a secret.
func (w *World) hideInBody(body string) {
	for _, path := range w.scenario.Needs.Secrets {
		if v, err := jsonAt(body, path); err == nil {
			w.suite.rec.AddSecret(v)
		}
	}
}

// unjudged tells of a request without an answer that no sentence looked at.
func (w *World) unjudged() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.response; r != nil && r.err != nil && !r.judged {
		r.judged = true
		return fmt.Errorf("%s %s: got no answer, and no sentence looked at that: %w\nhint: say \"Then the request fails\" or \"Then the request times out\"", r.req.Method, r.req.URL, r.err)
	}
	return nil
}

// judge gives the last response to a sentence about it.
func (w *World) judge() (*response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.response == nil {
		return nil, errors.New("no request was sent yet\nhint: say When I GET \"http://node1:8080/\" before it")
	}
	w.response.judged = true
	return w.response, nil
}

// answered is judge for sentences that need an answer.
func (w *World) answered() (*response, error) {
	r, err := w.judge()
	if err != nil {
		return nil, err
	}
	if r.err != nil {
		return nil, fmt.Errorf("%s %s: got no answer after %s: %w", r.req.Method, r.req.URL, round(r.took), r.err)
	}
	return r, nil
}

func (r *response) String() string {
	return fmt.Sprintf("%s %s answered %d after %s: %s", r.req.Method, r.req.URL, r.status, round(r.took), clip(r.body))
}

// ResponseStatus compares the status of the last answer.
func (w *World) ResponseStatus(_ context.Context, want int) error {
	r, err := w.answered()
	if err != nil {
		return err
	}
	if r.status != want {
		return fmt.Errorf("expected status %d, got %s", want, r)
	}
	return nil
}

// ResponseBody looks at the body of the last answer.
func (w *World) ResponseBody(_ context.Context, t Text) error {
	r, err := w.answered()
	if err != nil {
		return err
	}
	if err := t.check(r.body); err != nil {
		return fmt.Errorf("body: %w\n%s", err, r)
	}
	return nil
}

// ResponseJSON compares the value at a path such as a.b[0] of the last answer.
func (w *World) ResponseJSON(_ context.Context, path, want string) error {
	r, err := w.answered()
	if err != nil {
		return err
	}
	got, err := jsonAt(r.body, path)
	if errors.Is(err, errNull) && want == "null" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, r)
	}
	if got != want && !sameJSON(got, want) {
		return fmt.Errorf("JSON at %q: expected %q, got %q\n%s", path, want, got, r)
	}
	return nil
}

// ResponseHeader compares a header of the last answer.
func (w *World) ResponseHeader(_ context.Context, name, want string) error {
	r, err := w.answered()
	if err != nil {
		return err
	}
	values := r.header.Values(name)
	for _, v := range values {
		if v == want {
			return nil
		}
	}
	return fmt.Errorf("header %q: expected %q, got %q\n%s", name, want, strings.Join(values, ", "), r)
}

// ResponseTook compares how long the last answer took; the bound is inclusive.
func (w *World) ResponseTook(_ context.Context, atLeast bool, d time.Duration) error {
	r, err := w.answered()
	if err != nil {
		return err
	}
	if atLeast && r.took < d {
		return fmt.Errorf("expected the response to take at least %s, got %s", d, round2(r.took))
	}
	if !atLeast && r.took > d {
		return fmt.Errorf("expected the response to take at most %s, got %s", d, round2(r.took))
	}
	return nil
}

// RequestFails holds when the last request got no answer.
func (w *World) RequestFails(_ context.Context) error {
	r, err := w.judge()
	if err != nil {
		return err
	}
	if r.err == nil {
		return fmt.Errorf("expected the request to fail, got an answer: %s", r)
	}
	return nil
}

// RequestTimesOut holds when the last request got no answer in its time.
func (w *World) RequestTimesOut(_ context.Context) error {
	r, err := w.judge()
	if err != nil {
		return err
	}
	if r.err == nil {
		return fmt.Errorf("expected the request to time out, got an answer: %s", r)
	}
	var ne net.Error
	if errors.Is(r.err, context.DeadlineExceeded) || errors.Is(r.err, os.ErrDeadlineExceeded) || errors.As(r.err, &ne) && ne.Timeout() {
		return nil
	}
	return fmt.Errorf("expected the request to time out, it failed after %s: %w", round(r.took), r.err)
}

// RememberJSON keeps the value at a path of the last answer under a name.
func (w *World) RememberJSON(_ context.Context, path, name string) error {
	if err := sel.CheckName(name); err != nil {
		return err
	}
	r, err := w.answered()
	if err != nil {
		return err
	}
	v, err := jsonAt(r.body, path)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, r)
	}
	w.remember(name, v)
	return nil
}

func (w *World) remember(name, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.memo[name] = value
	if LooksSecret(name) {
		w.suite.rec.AddSecret(value)
	}
}

// jsonAt reads a path such as a.b[0].c; a scalar as its text, anything else as
// JSON.
func jsonAt(body, path string) (string, error) {
	at, err := jsonpath.Parse(path)
	if err != nil {
		return "", err
	}
	v, found, err := at.Find([]byte(body))
	if err != nil {
		return "", fmt.Errorf("JSON at %q: %w", path, err)
	}
	switch {
	case at.Null([]byte(body)):
		return "", fmt.Errorf("JSON at %q: %w", path, errNull)
	case !found:
		return "", fmt.Errorf("JSON at %q: there is nothing", path)
	}
	return v, nil
}

var errNull = errors.New("there is null")

// sameJSON tells whether two texts are the same object or list, however they are written.
func sameJSON(a, b string) bool {
	if !strings.HasPrefix(a, "{") && !strings.HasPrefix(a, "[") {
		return false
	}
	var values [2]any
	for i, text := range []string{a, b} {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&values[i]) != nil || d.More() {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 400
	s = strings.TrimSpace(s)
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
