package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brine.test/brine/world/catalogue"
)

const (
	maxBody       = 1 << 20 // of an HTTP answer, bytes
	excerptLength = 200     // of an answer in an error, characters
)

// looker looks at one service, again and again.
type looker struct {
	probe  *catalogue.ReadyProbe
	target Target
	http   *http.Client
	logs   []*tail
}

func newLooker(p *catalogue.ReadyProbe, t Target) *looker {
	if t.Dial == nil {
		t.Dial = new(net.Dialer).DialContext
	}
	l := &looker{probe: p, target: t, http: &http.Client{
		Transport: &http.Transport{DialContext: t.Dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect is the answer, not a way around it
		},
	}}
	for _, log := range t.Logs {
		l.logs = append(l.logs, &tail{log: log})
	}
	return l
}

func (l *looker) close() { l.http.CloseIdleConnections() }

// look looks once. The error words the answer.
func (l *looker) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	switch {
	case l.probe.HTTP != nil:
		return l.lookHTTP(ctx, l.probe.HTTP)
	case l.probe.TCP != 0:
		return l.lookTCP(ctx)
	case l.probe.Exec != nil:
		return l.lookExec(ctx)
	}
	return l.lookLog()
}

func (l *looker) lookHTTP(ctx context.Context, h *catalogue.HTTPCheck) error {
	address := "http://" + net.JoinHostPort(l.target.IP, strconv.Itoa(h.Port)) + h.Path
	what := h.Method + " " + address
	request, err := http.NewRequestWithContext(ctx, h.Method, address, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	request.Header.Set("User-Agent", UserAgent)
	for name, value := range h.Headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	response, err := l.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return fmt.Errorf("%s: status %d, the body broke off: %w", what, response.StatusCode, plain(err))
	}
	if !accepted(h.Status, response.StatusCode) {
		return fmt.Errorf("%s: status %d%s", what, response.StatusCode, excerpt(body))
	}
	if !strings.Contains(string(body), h.Body) {
		return fmt.Errorf("%s: status %d, the body has no %q%s", what, response.StatusCode, h.Body, excerpt(body))
	}
	return nil
}

func accepted(statuses []int, status int) bool {
	return slices.Contains(statuses, status) || statuses == nil && status/100 == 2
}

func (l *looker) lookTCP(ctx context.Context) error {
	address := net.JoinHostPort(l.target.IP, strconv.Itoa(l.probe.TCP))
	conn, err := l.target.Dial(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, plain(err))
	}
	_ = conn.Close() // that it was there is all that was asked
	return nil
}

func (l *looker) lookExec(ctx context.Context) error {
	what := strings.Join(l.probe.Exec, " ")
	if l.target.Exec == nil {
		return fmt.Errorf("%s: programs cannot be run in %s", what, l.target.Name)
	}
	stdout, stderr, code, err := l.target.Exec(ctx, l.probe.Exec)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, plain(err))
	case code != 0 && len(strings.TrimSpace(string(stderr))) > 0:
		return fmt.Errorf("%s: exit code %d%s", what, code, excerpt(stderr))
	case code != 0:
		return fmt.Errorf("%s: exit code %d%s", what, code, excerpt(stdout))
	}
	return nil
}

func (l *looker) lookLog() error {
	lines := 0
	last := ""
	for _, t := range l.logs {
		found, err := t.find(l.probe.Log)
		if err != nil {
			return fmt.Errorf("the log: %w", err)
		}
		if found {
			return nil
		}
		lines += t.lines
		if t.last != "" {
			last = t.last
		}
	}
	return fmt.Errorf("no line of the output matches %q, of %d%s", l.probe.Log, lines, excerpt([]byte(last)))
}

// noAnswer says only that; that the time of a look was over stands behind it.
type noAnswer struct{ err error }

func (noAnswer) Error() string   { return "no answer" }
func (e noAnswer) Unwrap() error { return e.err }

// plain takes a look's own time limit out of the words: what matters is that nothing answered.
func plain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return noAnswer{err}
	}
	var around *url.Error // net/http's, which repeats the method and URL
	if errors.As(err, &around) {
		return around.Err
	}
	return err
}

// excerpt is the beginning of an answer on one line: ": …".
func excerpt(body []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*excerptLength)]), "?")), " ")
	if text == "" {
		return ""
	}
	if runes := []rune(text); len(runes) > excerptLength {
		text = string(runes[:excerptLength]) + "…"
	}
	return ": " + text
}
